import cluster from 'node:cluster'
import { parseArgs } from 'node:util'
import { UsageError, usage } from './commands/usage.ts'
import { readConfig, withSigningKey } from './config/config.ts'
import { logger as makeLogger } from './http/observe.ts'
import { hasCode } from './lib/code.ts'
import { fileFailure } from './lib/file-failure.ts'
import { ForeseenError } from './lib/foreseen.ts'
import { Problem } from './lib/problem.ts'
import { version } from './version.ts'

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

  const configFor = (option?: 'from' | 'to') => {
    const url = option && flags[option]
    return readConfig({
      proxyHeaders: flags['proxy-headers'] ?? false,
      pretty: flags.pretty ?? false,
      workers: flags.workers,
      database: url === undefined ? undefined : { option: `--${option}`, url },
    })
  }
  const config = configFor()
  const logger = await makeLogger(config.logLevel, config.logFormat)
  const isForced = { force: flags.force ?? false }
  // Each command loads what it needs: a health check that runs all the time should be small.
  switch (command) {
    case 'serve': {
      const { serve } = await import('./commands/serve.ts')
      return serve(withSigningKey(config), logger)
    }
    case 'worker': {
      const { work } = await import('./commands/work.ts')
      return work(withSigningKey(config), logger.child({ worker: cluster.worker?.id }))
    }
    case 'healthcheck': {
      const { isReady } = await import('./commands/healthcheck.ts')
      process.exitCode = (await isReady(config)) ? 0 : 1
      return
    }
    case 'migrate': {
      const { migrateDatabase } = await import('./commands/schema.ts')
      return print(await migrateDatabase(config, logger))
    }
    case 'reset': {
      const { resetDatabase } = await import('./commands/schema.ts')
      return print(await resetDatabase(config, logger, isForced))
    }
    case 'user': {
      const { userCommand } = await import('./commands/user.ts')
      return print(await userCommand(config, logger, rest, flags))
    }
    case 'backup': {
      const { backupTo } = await import('./commands/backup.ts')
      return print(await backupTo(config, file, isForced))
    }
    case 'restore': {
      const { restoreFrom } = await import('./commands/backup.ts')
      return print(await restoreFrom(config, file, isForced))
    }
    case 'copy': {
      const { copyBetween } = await import('./commands/copy.ts')
      return print(await copyBetween(configFor('from'), configFor('to'), logger))
    }
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

/** What cannot be printed is told, since it looks like a failure; not to one who reads no further, as `head`. */
function print(lines: readonly string[]): void {
  if (lines.length === 0) return
  process.stdout.on('error', (error) => {
    if (hasCode(error, /^EPIPE$/)) return
    const reason = fileFailure(error) ?? error.message
    const but = 'The command was carried out, but what it says could not be written'
    fail(new ForeseenError(`${but}: ${reason}`))
  })
  process.stdout.write(`${lines.join('\n')}\n`)
}

function messageOf(error: unknown): string {
  if (error instanceof Problem && error.errors) {
    return error.errors.map(({ loc, msg }) => `${loc.at(-1)}: ${msg}`).join('\n')
  }
  return error instanceof Error ? error.message : String(error)
}

/** Of the operating system, as when a port is taken, or of PostgreSQL. */
const isFromOutside = (error: unknown): boolean =>
  error instanceof Error && ('syscall' in error || 'severity' in error)

/** A person gets a sentence; only what nobody foresaw comes with its stack. */
function fail(error: unknown): void {
  // Where nobody hears it, the exit code still tells.
  process.stderr.on('error', () => {})
  const isForeseen =
    error instanceof ForeseenError || error instanceof Problem || isFromOutside(error)
  const message = messageOf(error)
  if (!isForeseen) console.error(error)
  else if (message) process.stderr.write(`${message}\n`)
  process.exitCode = error instanceof ForeseenError ? error.exitCode : 1
  // A worker that has failed is not held by its supervisor.
  process.channel?.unref()
}

await main().catch(fail)
