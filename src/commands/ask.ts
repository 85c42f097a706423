import { createInterface, type Interface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { ForeseenError } from '../lib/foreseen.ts'
import { UsageError } from './usage.ts'

/** Ctrl+C at a question: who typed it knows what happened, so it says nothing. */
class Interrupted extends ForeseenError {
  /** 128 + SIGINT, as of a command that the signal ends. */
  override readonly exitCode = 130
}

/** Asks the person at the terminal; without one, says which option to give instead. */
export async function ask(question: string, option: string): Promise<string> {
  if (!process.stdin.isTTY) throw new UsageError(`Without a terminal, give --${option}.`)
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  return answer(lines, question)
}

/** Asks for a password without showing it, or reads it from standard input when that is no terminal. */
export async function askPassword(): Promise<string> {
  if (!process.stdin.isTTY) return onlyLine(await text(process.stdin))
  const unseen = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output: unseen, terminal: true })
  // Only now does the terminal no longer show what is typed.
  process.stderr.write('Password: ')
  const password = await answer(lines, '')
  process.stderr.write('\n')
  return password
}

/** The next line that is typed. Throws a `ForeseenError`, on a new line of the terminal, where there is none. */
async function answer(lines: Interface, question: string): Promise<string> {
  try {
    return await new Promise<string>((resolve, reject) => {
      const end = () =>
        reject(new ForeseenError('The input ended before the question was answered.'))
      lines.once('SIGINT', () => reject(new Interrupted()))
      // What was typed right before it is an answer all the same.
      lines.once('close', () => setImmediate(end))
      lines.question(question).then(resolve, end)
    })
  } catch (error) {
    process.stderr.write('\n')
    throw error
  } finally {
    lines.close()
  }
}

/** Piped text without the line break at its end. One inside, no field for a password can hold. */
function onlyLine(piped: string): string {
  const line = piped.replace(/\r?\n$/, '')
  if (/[\r\n]/.test(line)) throw new UsageError('The password must be one line.')
  return line
}
