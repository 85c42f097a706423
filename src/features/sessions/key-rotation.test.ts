import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pino } from 'pino'
import { clientOf, PASSWORD, world } from '../../../test/world.ts'
import { buildApp } from '../../app.ts'

const OLD = 'the old key, which is long enough for this'
const NEW = 'the new key, which is long enough for this'

/** One step of the exchange of a key: what signs, and what is accepted beside it. */
const STEPS = {
  before: { secretKey: OLD, secretKeyFallbacks: [] },
  announced: { secretKey: OLD, secretKeyFallbacks: [NEW] },
  exchanged: { secretKey: NEW, secretKeyFallbacks: [OLD] },
  done: { secretKey: NEW, secretKeyFallbacks: [] },
}
type Step = keyof typeof STEPS

test('a key is exchanged step by step, and no token is refused by a process of the step before or after', async (t) => {
  const { db, config, ann } = await world(t)
  const processAt = async (step: Step) => {
    const app = await buildApp({ ...config, ...STEPS[step] }, db, pino({ level: 'silent' }))
    t.after(() => app.close())
    const form = { username: ann.email, password: PASSWORD }
    const signedIn = await clientOf(app).form('/auth/token', form)
    return { app, token: signedIn.json().access_token }
  }
  const steps = {
    before: await processAt('before'),
    announced: await processAt('announced'),
    exchanged: await processAt('exchanged'),
    done: await processAt('done'),
  }
  const statusOf = async (from: Step, to: Step) =>
    (await clientOf(steps[to].app, steps[from].token).get('/auth/me')).statusCode

  for (const [step, next] of [
    ['before', 'announced'],
    ['announced', 'exchanged'],
    ['exchanged', 'done'],
  ] as const) {
    assert.equal(await statusOf(step, next), 200, `${step} to ${next}`)
    assert.equal(await statusOf(next, step), 200, `${next} to ${step}`)
  }
  // After the last step the old key is worth nothing; without the first, new tokens would not have been.
  assert.equal(await statusOf('before', 'done'), 401)
  assert.equal(await statusOf('exchanged', 'before'), 401)
})

test('a token of a fallback key can be revoked', async (t) => {
  const { db, config, ann } = await world(t, { SECRET_KEY: OLD })
  const rotated = await buildApp({ ...config, ...STEPS.exchanged }, db, pino({ level: 'silent' }))
  t.after(() => rotated.close())
  assert.equal((await clientOf(rotated).form('/auth/revoke', { token: ann.token })).statusCode, 200)
  assert.equal((await ann.get('/auth/me')).statusCode, 401)
})
