// How long a refused sign-in takes, for an account that there is and for one that there is not.
//   node scripts/sign-in-timing.ts [rounds]
// What is in docs/security.md was measured by it. The two kinds take turns, so that whatever else the
// machine does meets both alike.
import { pino } from 'pino'
import { buildApp } from '../src/app.ts'
import { configure, withSigningKey } from '../src/config/config.ts'
import { readEnvironment } from '../src/config/read-environment.ts'
import { migrate } from '../src/db/migrate.ts'
import { open } from '../src/db/open.ts'
import * as users from '../src/features/users/store.ts'
import { hash } from '../src/lib/passwords.ts'

const rounds = Number(process.argv[2] ?? 300)
const environment = readEnvironment({
  SECRET_KEY: 'a key for measuring the time only',
  DATABASE_URL: 'sqlite://',
  SIGN_IN_FAILURES: '1000',
})
const config = withSigningKey(configure(environment))
const db = await open(config.databaseUrl, { pool: config.pool, onConnectionLost: () => {} })
await migrate(db)
const app = await buildApp(config, db, pino({ level: 'silent' }))
const password_hash = await hash('rain on tin roofs')

const times = { known: [] as number[], unknown: [] as number[] }
for (let round = 0; round < rounds; round++) {
  // An account of its own for each round, since failures at one account are limited.
  await users.create(db, {
    email: `known${round}@example.com`,
    password_hash,
    fname: 'K',
    lname: 'K',
  })
  for (const kind of ['known', 'unknown'] as const) {
    const begun = performance.now()
    await app.inject({
      method: 'POST',
      url: '/auth/token',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: `username=${kind}${round}%40example.com&password=wrong`,
      remoteAddress: `198.51.${Math.floor(round / 250)}.${round % 250}`,
    })
    times[kind].push(performance.now() - begun)
  }
}
await app.close()
await db.destroy()

const at = (sorted: number[], part: number) =>
  (sorted[Math.floor(sorted.length * part)] ?? 0).toFixed(2)
for (const [kind, each] of Object.entries(times)) {
  const sorted = each.toSorted((a, b) => a - b)
  console.log(
    `${kind}: median ${at(sorted, 0.5)} ms, quartiles ${at(sorted, 0.25)} and ${at(sorted, 0.75)} ms`,
  )
}
