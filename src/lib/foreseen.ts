/** An error that a person was expected to meet: its message says what to do, and no stack is shown. */
export class ForeseenError extends Error {
  /** With which a command ends. */
  readonly exitCode: number = 1
}
