import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { UsageError } from './usage.ts'

/** Asks the person at the terminal; without one, says which option to give instead. */
export async function ask(question: string, option: string): Promise<string> {
  if (!process.stdin.isTTY) throw new UsageError(`Without a terminal, give --${option}.`)
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return await lines.question(question)
  } finally {
    lines.close()
  }
}

/** Asks for a password without showing it, or reads it from standard input when that is no terminal. */
export async function askPassword(): Promise<string> {
  if (!process.stdin.isTTY) return onlyLine(await text(process.stdin))
  process.stderr.write('Password: ')
  const unseen = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output: unseen, terminal: true })
  try {
    return await lines.question('')
  } finally {
    lines.close()
    process.stderr.write('\n')
  }
}

/** Piped text without the line break at its end. One inside, no field for a password can hold. */
function onlyLine(piped: string): string {
  const line = piped.replace(/\r?\n$/, '')
  if (/[\r\n]/.test(line)) throw new UsageError('The password must be one line.')
  return line
}
