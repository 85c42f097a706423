import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import packageJson from '../package.json' with { type: 'json' }
import { Environment } from '../src/config/environment.ts'
import { readEnvironment } from '../src/config/read-environment.ts'
import { installation } from './command.ts'
import { startServer } from './server.ts'
import { fill, smallDisk } from './small-disk.ts'
import { freshDatabase, isPostgresql, PASSWORD } from './world.ts'

/** What the command line says to each set of variables that it refuses. */
async function refusals(t: TestContext, all: ReadonlyArray<Record<string, string>>) {
  const { todo } = await installation(t)
  const answers = await Promise.all(all.map((variables) => todo(['migrate'], { variables })))
  return answers.map(({ code, stdout, stderr }) => {
    assert.deepEqual([code, stdout], [78, ''], stderr)
    return stderr
  })
}

async function refusal(t: TestContext, variables: Record<string, string>): Promise<string> {
  const [message = ''] = await refusals(t, [variables])
  return message
}

/** Every option with a value that it refuses; HOST takes any text. */
const options = Object.keys(Environment.properties).filter((name) => name !== 'HOST')
const BAD: Readonly<Record<string, string>> = {
  ...Object.fromEntries(options.map((name) => [name, '?'])),
  PORT: '70000',
  BODY_LIMIT: '1MB',
  CORS_ORIGINS: 'https://example.org,*',
  API_PREFIX: '/api/',
}

/** What is said to be allowed, for one option of each kind. */
const ALLOWED = {
  PORT: 'a whole number from 0 to 65535',
  UPDATE_DB: '1 or 0',
  SIGNUP: 'open, closed',
  API_PREFIX: 'a path like /api/v1, without a slash at its end',
  CORS_ORIGINS: 'origins like https://example.org, with commas between',
}

test('every bad value is named at once, with what was read and what is allowed (78)', async (t) => {
  const lines = (await refusal(t, BAD)).trimEnd().split('\n')
  assert.deepEqual(
    lines.map((line) => line.split(':', 1)[0]),
    options,
  )
  for (const line of lines) {
    const [, name = '', read = '', allowed] = /^(\w+): read (.+), allowed: (.+)$/.exec(line) ?? []
    const shown = name?.startsWith('SECRET_KEY') ? '1 characters' : JSON.stringify(BAD[name])
    assert.equal(read, shown, line)
    assert.ok(allowed, line)
  }
  for (const [name, allowed] of Object.entries(ALLOWED)) {
    assert.ok(lines.includes(`${name}: read ${JSON.stringify(BAD[name])}, allowed: ${allowed}`))
  }
})

test('a proxy to believe must be an address or a network (78)', async (t) => {
  const { todo } = await installation(t)
  // Were it not refused, the server would end at the port that is taken.
  const PORT = String(await usedPort(t))
  for (const FORWARDED_ALLOW_IPS of ['face', '10.0.0.0/99']) {
    const variables = { FORWARDED_ALLOW_IPS, PROXY_HEADERS: '1', PORT }
    const { code, stderr } = await todo([], { variables })
    assert.match(stderr, /^FORWARDED_ALLOW_IPS: read ".+", allowed: IP addresses or networks/)
    assert.equal(code, 78)
  }
})

const WEAK_KEYS = [
  'abcabcabcabcabcabcabcabcabcabcabcabcabc',
  'too short to be any good',
  '09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7',
  'please-CHANGE-ME-in-production-0123456789',
]

test('a weak secret key is refused and never printed (78)', async (t) => {
  const messages = await refusals(
    t,
    WEAK_KEYS.map((SECRET_KEY) => ({ SECRET_KEY })),
  )
  for (const [index, message] of messages.entries()) {
    assert.match(message, /^SECRET_KEY: .*allowed: at least 32 characters/)
    assert.ok(!message.includes(WEAK_KEYS[index] ?? ''), message)
  }
})

test('a fallback of the secret must be as strong as the secret, and is never printed (78)', async (t) => {
  const strong = randomBytes(32).toString('hex')
  const messages = await refusals(
    t,
    WEAK_KEYS.map((weak) => ({ SECRET_KEY_FALLBACKS: `${strong},${weak}` })),
  )
  for (const [index, message] of messages.entries()) {
    assert.match(message, /^SECRET_KEY_FALLBACKS: .*allowed: /)
    for (const key of [strong, WEAK_KEYS[index] ?? '']) assert.ok(!message.includes(key), message)
  }
})

test('faults of options that are seen together are named at once too (78)', async (t) => {
  const page = { PAGE_SIZE: '50', PAGE_SIZE_MAX: '20' }
  const message = await refusal(t, { ...page, SECRET_KEY: WEAK_KEYS[0] ?? '', SIGNUP: 'maybe' })
  assert.match(message, /^PAGE_SIZE: read 50, allowed: at most PAGE_SIZE_MAX, which is 20$/m)
  assert.match(message, /^SECRET_KEY: /m)
  assert.match(message, /^SIGNUP: /m)
})

test('an option that is not set is never larger than the one that bounds it', async (t) => {
  const { todo } = await installation(t)
  const bounds = { GRACEFUL_TIMEOUT: '0', PAGE_SIZE_MAX: '5' }
  const { code, stderr } = await todo(['migrate'], { variables: { ...bounds, DRAIN_DELAY: '' } })
  assert.deepEqual([code, stderr], [0, ''])
  const { DRAIN_DELAY, PAGE_SIZE } = readEnvironment(bounds)
  assert.deepEqual([DRAIN_DELAY, PAGE_SIZE], [0, 5])
  // One that cannot be read is not told to be too large as well.
  const message = await refusal(t, { ...bounds, PAGE_SIZE: 'all' })
  assert.match(message, /^PAGE_SIZE: read "all", allowed: .*\n$/)
})

test('a pause before the end that leaves open requests no time is refused (78)', async (t) => {
  const message = await refusal(t, { GRACEFUL_TIMEOUT: '5', DRAIN_DELAY: '5' })
  assert.match(
    message,
    /^DRAIN_DELAY: read 5, allowed: at most 3, since GRACEFUL_TIMEOUT is 5 and /,
  )
  assert.equal(readEnvironment({ GRACEFUL_TIMEOUT: '5', DRAIN_DELAY: '3' }).DRAIN_DELAY, 3)
  assert.equal(readEnvironment({ GRACEFUL_TIMEOUT: '1', DRAIN_DELAY: '0' }).DRAIN_DELAY, 0)
  assert.equal(readEnvironment({ GRACEFUL_TIMEOUT: '3' }).DRAIN_DELAY, 1)
})

test('an option of the command line is named as it was given (78)', async (t) => {
  const { todo } = await installation(t)
  for (const [workers, variables, fault] of [
    ['0', {}, 'read "0", allowed: a whole number from 1 to 256'],
    ['2', { DATABASE_URL: 'sqlite://' }, 'read 2, allowed: 1, since no other process'],
  ] as const) {
    const { code, stderr } = await todo([`--workers=${workers}`], { variables })
    assert.ok(stderr.startsWith(`--workers: ${fault}`), stderr)
    assert.equal(code, 78)
  }
})

test('a port of its own for the metrics is another than that of the service (78)', async (t) => {
  assert.equal(
    await refusal(t, { PORT: '8123', METRICS_PORT: '8123' }),
    'METRICS_PORT: read 8123, allowed: another port than PORT, which is 8123\n',
  )
  assert.equal(readEnvironment({ PORT: '0', METRICS_PORT: '0' }).METRICS_PORT, 0)
})

test('a place that cannot be listened at is named by its option (1)', async (t) => {
  const { todo } = await installation(t)
  const taken = String(await usedPort(t))
  const nowhere = { HOST: '192.0.2.1' }
  for (const [variables, option, allowed] of [
    [{ HOST: 'nowhere.invalid' }, 'HOST: read "nowhere.invalid"', 'an address of this machine'],
    [nowhere, 'HOST: read "192.0.2.1"', 'an address of this machine'],
    [{ ...nowhere, METRICS_PORT: '0' }, 'HOST: read "192.0.2.1"', 'an address of this machine'],
    [{ PORT: taken }, `PORT: read ${taken}`, 'one that nothing else listens on'],
    [{ METRICS_PORT: taken }, `METRICS_PORT: read ${taken}`, 'one that nothing else listens on'],
  ] as const) {
    const { code, stderr } = await todo([], { variables })
    assert.ok(stderr.startsWith(`${option}, allowed: ${allowed} (`), stderr)
    assert.equal(code, 1)
  }
  const { code, stderr } = await todo(['--workers=2'], { variables: { PORT: taken } })
  assert.match(stderr, new RegExp(`^PORT: read ${taken}, allowed: one that nothing`))
  assert.equal(code, 1)
})

test('a database password is never printed, wherever it stands (78)', async (t) => {
  const messages = await refusals(
    t,
    [
      'mysql://todo:hunter22@db/todo',
      'mysql://todo@tenant:hunter22@db/todo',
      'mysql://todo:p@hunter22@db/todo',
      'mysql://db/todo?user=todo&password=hunter22',
      'todo:hunter22@db/todo',
      'postgresql:/todo:hunter22@db/todo',
      'postgresql://todo:hunter22#1@db/todo',
    ].map((DATABASE_URL) => ({ DATABASE_URL })),
  )
  for (const message of messages) assert.match(message, /^DATABASE_URL: /)
  assert.deepEqual(
    messages.filter((message) => message.includes('hunter22')),
    [],
  )
})

test('a PostgreSQL URL that cannot be read is answered with how one is written (78)', async (t) => {
  const names = ['DATABASE_URL', 'SQLALCHEMY_DATABASE_URI']
  const messages = await refusals(
    t,
    [
      'todo:hunter22@db1:5432,db2:5432/todo',
      'todo:hunter22@/todo?host=/var/run/postgresql',
      'todo:hunter/22@db/todo',
    ].flatMap((rest) =>
      names.map((name) => ({ DATABASE_URL: '', [name]: `postgresql://${rest}` })),
    ),
  )
  const fault =
    'read what is not a URL, allowed: one with one host, which for a socket is its folder, as in ' +
    'postgresql://user@%2Fvar%2Frun%2Fpostgresql/name, and with user and password percent-encoded\n'
  for (const [index, message] of messages.entries()) {
    assert.equal(message, `${names[index % 2]}: ${fault}`)
  }
})

test('the folder of a socket is where PostgreSQL is looked for', async (t) => {
  const { todo, directory } = await installation(t)
  const DATABASE_URL = `postgresql://todo@${encodeURIComponent(directory)}/todo`
  const { code, stderr } = await todo(['user', 'list'], { variables: { DATABASE_URL } })
  const socket = join(directory, '.s.PGSQL.5432')
  assert.equal(stderr, `The database cannot be reached: connect ENOENT ${socket}\n`)
  assert.equal(code, 1)
})

test('a database that is away is named without the password (1)', async (t) => {
  const DATABASE_URL = `postgresql://todo:hunter22@127.0.0.1:${await usedPort(t)}/todo`
  const { todo } = await installation(t)
  const { code, stdout, stderr } = await todo([], { variables: { DATABASE_URL } })
  assert.ok(stderr)
  assert.doesNotMatch(stdout + stderr, /hunter22/)
  assert.equal(code, 1)
})

test('a file .env is read, and the environment wins over it', async (t) => {
  const { todo, directory } = await installation(t)
  await writeFile(join(directory, '.env'), 'SIGNUP=maybe\nLOG_FORMAT="xml" # not one of them\n')
  const { code, stderr } = await todo(['migrate'])
  assert.match(stderr, /^SIGNUP: read "maybe".*\nLOG_FORMAT: read "xml".*\n$/)
  assert.equal(code, 78)
  const variables = { SIGNUP: 'open', LOG_FORMAT: 'json' }
  assert.equal((await todo(['migrate'], { variables })).code, 0)
})

test('a byte order mark hides nothing of a file .env', async (t) => {
  const { todo, directory } = await installation(t)
  await writeFile(join(directory, '.env'), '\uFEFFSIGNUP=maybe\r\nLOG_FORMAT=xml\r\n')
  const { code, stderr } = await todo(['migrate'])
  assert.match(stderr, /^SIGNUP: read "maybe".*\nLOG_FORMAT: read "xml".*\n$/)
  assert.equal(code, 78)
})

test('a line of .env that says nothing is refused by its number, and never printed (78)', async (t) => {
  const { todo, directory } = await installation(t)
  const lines = [
    'SECRET_KEY hunter22',
    '# a comment',
    'this is not it',
    '',
    'SECRET KEY=hunter22',
    'LOG_FORMAT="json',
    'hunter22',
    'SIGNUP: open',
  ]
  await writeFile(join(directory, '.env'), lines.join('\r\n'))
  const { code, stderr } = await todo(['migrate'])
  assert.deepEqual(
    stderr.trimEnd().split('\n'),
    [1, 3, 5, 7, 8].map(
      (line) => `.env: line ${line} is neither NAME=value nor a comment, which begins with #`,
    ),
  )
  assert.equal(code, 78)
})

test('a file .env may have comments, exports, blanks and values of several lines', async (t) => {
  const { todo, directory } = await installation(t)
  const lines = [
    '  # a comment without a name',
    'export SIGNUP=maybe # and another one',
    '',
    'CERTIFICATE="-----BEGIN-----',
    'no name here',
    '# nor a comment',
    '-----END-----"',
    "OTHER_1.x = 'one",
    "two'",
    'EMPTY=',
    '\tLOG_FORMAT=`xml`',
  ]
  await writeFile(join(directory, '.env'), lines.join('\n'))
  const { code, stderr } = await todo(['migrate'])
  assert.match(stderr, /^SIGNUP: read "maybe".*\nLOG_FORMAT: read "xml".*\n$/)
  assert.equal(code, 78)
})

test('an empty variable is the same as an absent one', async (t) => {
  const { todo } = await installation(t)
  const { code, stderr } = await todo(['migrate'], { variables: { SIGNUP: '', PAGE_SIZE: ' ' } })
  assert.deepEqual([code, stderr], [0, ''])
})

test('LOG_LEVEL=INFO logs what INFO is for, and WARNING does not', async (t) => {
  // The port is taken, so that the server ends by itself once its database is prepared.
  const PORT = String(await usedPort(t))
  const serve = async (variables: Record<string, string>) => {
    const { todo } = await installation(t)
    return (await todo([], { variables: { PORT, ...variables } })).stdout
  }
  assert.match(await serve({ LOG_LEVEL: 'INFO' }), /"level":30,.*migrated the database/)
  assert.doesNotMatch(await serve({ LOG_LEVEL: 'WARNING' }), /"level":[123]0/)
  assert.match(await serve({ LOG_LEVEL: 'WARNING', RESET_DB: '1' }), /"level":40,.*RESET_DB/)
})

test('the start line says to which PostgreSQL it is connected, without the password', {
  skip: !isPostgresql,
}, async (t) => {
  const database = await freshDatabase()
  const { hostname, port, pathname, username, password } = new URL(database.url)
  const query = new URLSearchParams({ host: hostname, port, user: username, password })
  // Its database goes after the server that uses it.
  const server = await startServer(t, { DATABASE_URL: `postgresql://${pathname}?${query}` })
  t.after(database.drop)
  assert.ok(server.output().includes(`data in PostgreSQL ${hostname}:${port}${pathname}.`))
  assert.doesNotMatch(server.output(), /password/)
})

test('SQLALCHEMY_DATABASE_URI names the database where DATABASE_URL does not', async (t) => {
  const { todo, variables } = await installation(t)
  // A driver in the scheme is SQLAlchemy's way and no concern of ours.
  const uri = (variables.DATABASE_URL ?? '').replace(/^postgresql:/, 'postgresql+psycopg2:')
  const made = await todo(['user', 'create', 'ann@example.com', '--fname', 'A', '--lname', 'R'], {
    variables: { DATABASE_URL: '', SQLALCHEMY_DATABASE_URI: uri },
    input: PASSWORD,
  })
  assert.deepEqual([made.code, made.stderr], [0, ''])
  assert.match((await todo(['user', 'list'])).stdout, /ann@example\.com/)
  const both = await todo(['user', 'list'], {
    variables: { SQLALCHEMY_DATABASE_URI: 'postgresql://127.0.0.1:1/nowhere' },
  })
  assert.equal(both.code, 0)
})

test('a bad SQLALCHEMY_DATABASE_URI is named by its own name (78)', async (t) => {
  assert.match(
    await refusal(t, { DATABASE_URL: '', SQLALCHEMY_DATABASE_URI: 'mysql://db/todo' }),
    /^SQLALCHEMY_DATABASE_URI: read "mysql:\/\/db\/todo", allowed: sqlite/,
  )
})

test('a SQLite URL that lacks a slash or the file is refused with the right forms (78)', async (t) => {
  const { todo } = await installation(t)
  for (const url of ['sqlite://data/todo.db', 'sqlite:///', 'sqlite:data/todo.db']) {
    for (const [name, command, variables] of [
      ['DATABASE_URL', ['migrate'], { DATABASE_URL: url }],
      ['--from', ['copy', '--from', url], {}],
      ['--to', ['copy', '--to', url], {}],
    ] as const) {
      const { code, stderr } = await todo(command, { variables })
      const forms = 'sqlite:///relative/file, sqlite:////absolute/file or postgresql://'
      assert.ok(stderr.startsWith(`${name}: read "${url}", allowed: ${forms}`), stderr)
      assert.equal(code, 78)
    }
  }
})

test('the first start makes a secret for its owner alone, and later ones keep it', async (t) => {
  const { todo, directory } = await installation(t)
  const file = join(directory, 'data', 'secret_key')
  // The port is taken, so that each ends by itself after it has begun.
  const variables = { PORT: String(await usedPort(t)) }
  const made = await Promise.all([todo([], { variables }), todo([], { variables })])
  for (const { stderr } of made) assert.match(stderr, /EADDRINUSE/)
  const secret = await readFile(file, 'utf8')
  assert.ok(secret.trim().length >= 32)
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  assert.equal((await stat(join(directory, 'data'))).mode & 0o777, 0o700)
  assert.deepEqual(
    (await readdir(join(directory, 'data'))).filter((name) => name.startsWith('secret')),
    ['secret_key'],
  )
  await todo([], { variables })
  assert.equal(await readFile(file, 'utf8'), secret)
})

test('a command that signs nothing neither makes a secret key nor reads one', async (t) => {
  const { todo, directory } = await installation(t)
  const folder = join(directory, 'data')
  const commands = [['migrate'], ['user', 'list'], ['reset'], ['healthcheck']]
  const codes = async () => {
    const ran: Array<number | null> = []
    for (const command of commands) ran.push((await todo(command)).code)
    return ran
  }
  assert.deepEqual(await codes(), [0, 0, 0, 1])
  await assert.rejects(stat(folder), { code: 'ENOENT' })
  await mkdir(folder)
  await writeFile(join(folder, 'secret_key'), 'of no use')
  assert.deepEqual(await codes(), [0, 0, 0, 1])
})

test('a secret key of the environment is used, and none is made', async (t) => {
  const { todo, directory } = await installation(t)
  const SECRET_KEY = randomBytes(32).toString('hex')
  const PORT = String(await usedPort(t))
  assert.match((await todo([], { variables: { SECRET_KEY, PORT } })).stderr, /EADDRINUSE/)
  await assert.rejects(stat(join(directory, 'data', 'secret_key')), { code: 'ENOENT' })
})

test('a kept secret that was spoilt is refused with a sentence (78)', async (t) => {
  const { todo, directory } = await installation(t)
  await mkdir(join(directory, 'data'))
  await writeFile(join(directory, 'data', 'secret_key'), 'hunter22')
  const { code, stderr } = await todo([])
  assert.match(stderr, /secret_key does not hold a usable key\. Delete it.*nobody has to sign in/)
  assert.doesNotMatch(stderr, /hunter22|\n +at /)
  assert.equal(code, 78)
})

test('a secret that can be neither made nor read is a fault of the configuration (78)', async (t) => {
  const { todo, directory } = await installation(t)
  const folder = join(directory, 'data')
  const refused = async (why: RegExp) => {
    const { code, stderr } = await todo([])
    assert.ok(stderr.startsWith(`The signing key is kept in ${folder}/secret_key, `), stderr)
    assert.match(stderr, why)
    assert.match(stderr, / SECRET_KEY may be set instead\.\n$/)
    assert.equal(code, 78)
  }
  await writeFile(folder, '')
  await refused(/: not a directory\. A file is where its folder should be\./)
  await rm(folder)
  await mkdir(join(folder, 'secret_key'), { recursive: true })
  await refused(/\. A folder is in its place\./)
})

test('a first start on a full disk asks for room, and leaves nothing of a key (1)', async (t) => {
  const disk = smallDisk(t)
  if (!disk) return t.skip('no disk may be mounted here')
  const { todo, directory } = await installation(t)
  const folder = join(directory, 'data')
  await symlink(disk, folder)
  fill(join(disk, 'ballast'))
  const { code, stderr } = await todo([])
  assert.equal(
    stderr,
    `The signing key is kept in ${folder}/secret_key, which cannot be read or made: ` +
      'no space left on device. Make room on its disk.\n',
  )
  assert.equal(code, 1)
  assert.deepEqual(await readdir(disk), ['ballast'])
})

test('a key that could not be written leaves no beginning of one', async (t) => {
  const { todo, directory } = await installation(t)
  const { code, stderr } = await todo([], { fileSize: 0 })
  assert.match(stderr, /^The signing key is kept in /)
  assert.notEqual(code, 0)
  assert.deepEqual(await readdir(join(directory, 'data')), [])
})

test('a command line that is not understood is answered with the usage (64)', async (t) => {
  const { todo } = await installation(t)
  const lines = [
    'dance',
    '--dance',
    'migrate now',
    'user',
    'user promote',
    'user dance ann',
    'user promote ann bob',
    'user demote',
    'user password ann hunter22',
    'user create ann bob --fname A --lname B',
    'user list nonsense',
  ]
  const answers = await Promise.all(lines.map((line) => todo(line.split(' '))))
  for (const [index, { code, stdout, stderr }] of answers.entries()) {
    assert.deepEqual([code, stdout], [64, ''], lines[index] ?? '')
    assert.match(stderr, /^Usage: todo \[serve\]/m)
  }
})

test('--help says how it is used, and --version which one it is, whatever the options', async (t) => {
  const { todo } = await installation(t)
  const help = await todo(['--help'], { variables: BAD })
  assert.match(help.stdout, /^Usage: todo \[serve\]/)
  assert.deepEqual([help.code, help.stderr], [0, ''])
  const version = await todo(['--version'], { variables: BAD })
  assert.deepEqual(version, { code: 0, stdout: `${packageJson.version}\n`, stderr: '' })
})

/** A port with a listener that hangs up on everyone, until the test ends. */
async function usedPort(t: TestContext): Promise<number> {
  const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
