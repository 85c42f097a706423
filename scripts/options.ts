// Writes docs/options.md from the schema of the environment.
//   node scripts/options.ts [--check] [FILE]
// With --check nothing is written: the exit code is 1 when the file is not what would be written.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { allowedValues, Environment } from '../src/config/environment.ts'

const introduction = `# Options

<!-- Written by \`node scripts/options.ts\`. Change src/config/environment.ts, not this file. -->

Options are environment variables. They are also read from a file \`.env\` in the working directory,
one \`NAME=value\` a line, also with \`export\` before it; comments begin with \`#\`, and a value in quotes
may have several lines. Where both have a variable, the environment's counts, even when it is empty.
An empty variable is the same as an absent one.

Where 1 or 0 is allowed, \`true\`, \`yes\`, \`on\` and \`false\`, \`no\`, \`off\` are too. Words may be in
capitals. Relative paths start at the working directory.

With a value that is not allowed the service does not start: it prints the variable, what it read
and what is allowed, and exits with code 78. With a line in \`.env\` that is nothing of this it names the line.

| Name | What it does | Allowed | Default |
| --- | --- | --- | --- |
`

function spelled(value: unknown): string {
  if (typeof value === 'boolean') return value ? '1' : '0'
  return Array.isArray(value) ? value.join(',') : String(value)
}

/** Text that stands for itself in a cell of a Markdown table. */
const plain = (text: string): string => text.replace(/[\\|*_<]/g, '\\$&')

const rows = Object.entries(Environment.properties).map(([name, schema]) => {
  const value = 'default' in schema ? spelled(schema.default) : ''
  const cells = [
    `\`${name}\``,
    'description' in schema ? String(schema.description).replaceAll('|', '\\|') : '',
    plain(allowedValues(schema)),
    value && `\`${value}\``,
  ]
  return `| ${cells.join(' | ')} |\n`
})
const page = introduction + rows.join('')

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { check: { type: 'boolean', default: false } },
})
const [file = fileURLToPath(new URL('../docs/options.md', import.meta.url))] = positionals

if (!values.check) {
  writeFileSync(file, page)
} else if (readFileSync(file, 'utf8') !== page) {
  console.error(`${file} is stale. Run \`node scripts/options.ts\`.`)
  process.exitCode = 1
}
