import cluster from 'node:cluster'
import { parseArgs } from 'node:util'
import { backupTo, restoreFrom } from './commands/backup.ts'
import { copyBetween } from './commands/copy.ts'
import { withDatabase } from './commands/database.ts'
import { isReady } from './commands/healthcheck.ts'
import { serve } from './commands/serve.ts'
import { UsageError, usage } from './commands/usage.ts'
import { userCommand } from './commands/user.ts'
import { work } from './commands/work.ts'
import { readConfig } from './config/config.ts'
import { migrate, NewerSchema } from './db/migrate.ts'
import { DatabaseRefused } from './db/refusal.ts'
import { NotOnlyDemoData, resetToDemo } from './demo.ts'
import { logger as makeLogger } from './http/observe.ts'
import { Problem } from './lib/problem.ts'
import { ConfigurationError } from './config/read-environment.ts'
import { version } from './version.ts'

/** sysexits.h: the command line, or the configuration, cannot be used. */
const EXIT_USAGE = 64
const EXIT_CONFIGURATION = 78

/** Each command with how many words follow it: at the least, and at the most. */
const COMMANDS = new Map<string, readonly [number, number]>([
  ['serve', [0, 0]],
  ['worker', [0, 0]],
  ['migrate', [0, 0]],
  ['reset', [0, 0]],
  ['user', [0, Number.POSITIVE_INFINITY]],
  ['backup', [1, 1]],
  ['restore', [1, 1]],
  ['copy', [0, 0]],
  ['healthcheck', [0, 0]],
])

async function main(): Promise<void> {
  const { values: flags, positionals } = parseCommandLine()
  const [command = 'serve', ...rest] = positionals
  if (flags.help) return print([usage])
  if (flags.version) return print([version])
  const [least, most] = COMMANDS.get(command) ?? [1, 0]
  if (rest.length < least || rest.length > most) throw new UsageError(usage)
  const [file = ''] = rest

  const configFor = (databaseUrl?: string) =>
    readConfig({
      proxyHeaders: flags['proxy-headers'] ?? false,
      pretty: flags.pretty ?? false,
      workers: flags.workers,
      databaseUrl,
    })
  const config = configFor()
  const logger = makeLogger(config.logLevel, config.logFormat)
  switch (command) {
    case 'serve':
      return serve(config, logger)
    case 'worker':
      return work(config, logger.child({ worker: cluster.worker?.id }))
    case 'migrate': {
      const ran = await withDatabase(config, logger, migrate)
      return print(ran.length > 0 ? ran.map((name) => `Ran ${name}.`) : ['Nothing to migrate.'])
    }
    case 'reset':
      await withDatabase(config, logger, (db) => resetToDemo(db, { force: flags.force ?? false }))
      return print(['Dropped everything and loaded the demo data.'])
    case 'user':
      return print(
        await withDatabase(config, logger, async (db) => {
          await migrate(db)
          return userCommand(db, rest, flags)
        }),
      )
    case 'backup':
      return print(await backupTo(config, file, { force: flags.force ?? false }))
    case 'restore':
      return print(await restoreFrom(config, file, { force: flags.force ?? false }))
    case 'copy':
      return print(await copyBetween(configFor(flags.from), configFor(flags.to), logger))
    case 'healthcheck':
      process.exitCode = (await isReady(config)) ? 0 : 1
      return
  }
}

function parseCommandLine() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        admin: { type: 'boolean' },
        fname: { type: 'string' },
        force: { type: 'boolean' },
        from: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
        lname: { type: 'string' },
        pretty: { type: 'boolean' },
        to: { type: 'string' },
        'proxy-headers': { type: 'boolean' },
        version: { type: 'boolean' },
        workers: { type: 'string' },
      },
    })
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
  }
}

const print = (lines: readonly string[]): void => {
  if (lines.length > 0) process.stdout.write(`${lines.join('\n')}\n`)
}

function messageOf(error: unknown): string {
  if (error instanceof Problem && error.errors) {
    return error.errors.map(({ loc, msg }) => `${loc.at(-1)}: ${msg}`).join('\n')
  }
  if (!(error instanceof Error)) return String(error)
  // A refused connection is several errors in one, and says nothing itself.
  return error.message || ('code' in error ? String(error.code) : error.name)
}

/** A person gets a sentence; only what nobody foresaw comes with its stack. */
function fail(error: unknown): void {
  const isForeseen =
    error instanceof UsageError ||
    error instanceof ConfigurationError ||
    error instanceof NewerSchema ||
    error instanceof DatabaseRefused ||
    error instanceof NotOnlyDemoData ||
    error instanceof Problem ||
    (error instanceof Error && 'code' in error)
  const message = messageOf(error)
  if (isForeseen) process.stderr.write(`${message}\n`)
  else console.error(error)
  process.exitCode =
    error instanceof ConfigurationError
      ? EXIT_CONFIGURATION
      : error instanceof UsageError
        ? EXIT_USAGE
        : 1
}

await main().catch(fail)
