import assert from 'node:assert/strict'
import { argon2Sync, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { hash as makeBcrypt } from '@node-rs/bcrypt'
import { PASSWORD, type World, world } from '../../../test/world.ts'
import { hash, hashing } from '../../lib/passwords.ts'

const CURRENT = '$argon2id$v=19$m=19456,t=2,p=1$'
const SALT = randomBytes(16)

/** A bcrypt hash under the name that the importing system gave the scheme. */
const bcrypt = async (password: string, version = '2b') =>
  `$${version}${(await makeBcrypt(password, 4)).slice(3)}`

const base64 = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '')

const argon2id = (
  password: string,
  { memory = 19_456, passes = 2, parallelism = 1, tagLength = 32 } = {},
) => {
  const message = Buffer.from(password)
  const cost = { memory, passes, parallelism, tagLength }
  const tag = argon2Sync('argon2id', { ...cost, message, nonce: SALT })
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${base64(SALT)}$${base64(tag)}`
}

/** Puts a hash where an import or an older version would have left it. */
const keep = ({ db, ann }: World, password_hash: string) =>
  db.updateTable('users').set({ password_hash }).where('id', '=', ann.id).execute()

const kept = async ({ db, ann }: World) =>
  db.selectFrom('users').selectAll().where('id', '=', ann.id).executeTakeFirstOrThrow()

const signIn = async ({ nobody, ann }: World, password: string) =>
  (await nobody.form('/auth/token', { username: ann.email, password })).statusCode

/** Signs in, and looks whether the hash was made anew without anyone noticing. */
async function assertUpgraded(here: World, password: string): Promise<void> {
  const before = await kept(here)
  assert.equal(await signIn(here, password), 200)
  const { password_hash, ...after } = await kept(here)
  assert.ok(password_hash.startsWith(CURRENT), password_hash)
  assert.deepEqual({ ...after, password_hash: before.password_hash }, { ...before })
  assert.equal((await here.ann.get('/auth/me')).statusCode, 200, 'sessions go on')
  assert.equal(await signIn(here, password), 200)
  assert.equal((await kept(here)).password_hash, password_hash, 'once is enough')
  assert.equal(await signIn(here, `${password}!`), 401)
}

test('the bcrypt hash of an imported account signs in and becomes argon2id', async (t) => {
  for (const version of ['2b', '2a', '2y']) {
    const here = await world(t)
    await keep(here, await bcrypt('secret', version))
    await assertUpgraded(here, 'secret')
  }
})

test('a new password stays when an imported hash is made anew at the same time', async (t) => {
  const here = await world(t)
  await keep(here, await bcrypt(PASSWORD))
  const password = 'rain on other roofs'
  const [changed] = await Promise.all([
    here.ann.patch('/auth/me', { password, current_password: PASSWORD }),
    ...Array.from({ length: 8 }, () => signIn(here, PASSWORD)),
  ])
  assert.equal(changed.statusCode, 200)
  assert.equal(await signIn(here, PASSWORD), 401)
  assert.equal(await signIn(here, password), 200)
})

test('first sign-ins of an imported account at the same time are all let in', async (t) => {
  const here = await world(t)
  await keep(here, await bcrypt(PASSWORD))
  const statuses = await Promise.all(Array.from({ length: 4 }, () => signIn(here, PASSWORD)))
  assert.deepEqual(statuses, [200, 200, 200, 200])
})

test('a wrong password neither passes a bcrypt hash nor changes it', async (t) => {
  const here = await world(t)
  const imported = await bcrypt('secret')
  await keep(here, imported)
  for (const password of ['Secret', 'secret ', 'secre', PASSWORD, imported])
    assert.equal(await signIn(here, password), 401, password)
  assert.equal((await kept(here)).password_hash, imported)
})

test('an argon2id hash of another cost signs in and is made anew', async (t) => {
  const here = await world(t)
  for (const cost of [{ memory: 8192 }, { passes: 1 }, { memory: 64, passes: 3, parallelism: 2 }]) {
    await keep(here, argon2id('old but good', cost))
    await assertUpgraded(here, 'old but good')
  }
})

test('an argon2id hash of the present cost stays as it is', async (t) => {
  const here = await world(t)
  const present = argon2id('up to date')
  await keep(here, present)
  assert.equal(await signIn(here, 'up to date'), 200)
  assert.equal((await kept(here)).password_hash, present)
})

test('a stored hash that is corrupt opens nothing and breaks nothing (401)', async (t) => {
  const here = await world(t, { SIGN_IN_FAILURES: '1000' })
  const good = argon2id(PASSWORD)
  const [, , , , salt = '', tag = ''] = good.split('$')
  const imported = await bcrypt(PASSWORD)
  await keep(here, good)
  assert.equal(await signIn(here, PASSWORD), 200)
  for (const corrupt of [
    '',
    ' ',
    PASSWORD,
    good.slice(0, -8),
    good.replace('argon2id', 'argon2i'),
    good.replace('m=19456', 'm=7'),
    good.replace('m=19456', 'm=0'),
    good.replace('t=2', 't=0'),
    good.replace('p=1', 'p=0'),
    good.replace(salt, 'AA'),
    good.replace(tag, 'AA'),
    good.replace(tag, ''),
    imported.slice(0, -1),
    imported.replace('$04$', '$03$'),
    imported.replace('$04$', '$99$'),
    imported.replace('$2b$', '$2$'),
    `${imported.slice(0, 7)}${'.'.repeat(53)}`,
    '$2b$04$',
  ]) {
    await keep(here, corrupt)
    for (const password of [PASSWORD, 'x', corrupt || 'y'])
      assert.equal(await signIn(here, password), 401, `${corrupt} with ${password}`)
    const erased = await here.ann.delete('/auth/me', {}, { password: PASSWORD })
    assert.equal(erased.statusCode, 422, corrupt)
    assert.equal((await kept(here)).password_hash, corrupt)
  }
})

test('an unknown account and a corrupt hash cost a hash, as a wrong password does', async (t) => {
  const here = await world(t)
  await keep(here, 'corrupt')
  for (const username of [here.bob.email, 'nobody@example.com', here.ann.email]) {
    // Hashes are made in turn: a sign-in that needs none would be answered while these wait.
    const before = Array.from({ length: 20 }, () => hash(PASSWORD))
    const answer = await here.nobody.form('/auth/token', { username, password: 'not the password' })
    assert.equal(answer.statusCode, 401)
    assert.equal(hashing().waiting, 0, username)
    await Promise.all(before)
  }
})

test('equal spellings of a password (NFKC) sign in', async (t) => {
  const here = await world(t)
  const composed = 'crème brûlée №1'.normalize('NFC')
  const made = await here.ann.patch('/auth/me', { password: composed, current_password: PASSWORD })
  assert.equal(made.statusCode, 200)
  for (const spelling of [
    composed,
    composed.normalize('NFD'),
    composed.normalize('NFKC'),
    'ｃrème brûlée №１',
  ]) {
    assert.equal(await signIn(here, spelling), 200, spelling)
  }
  for (const other of ['creme brulee №1', 'Crème brûlée №1', 'crème  brûlée №1'])
    assert.equal(await signIn(here, other), 401, other)
})

test('an imported bcrypt hash opens to any spelling that is equal once it is upgraded', async (t) => {
  const here = await world(t)
  const typed = 'crème brûlée'.normalize('NFC')
  await keep(here, await bcrypt(typed))
  assert.equal(await signIn(here, typed), 200)
  assert.equal(await signIn(here, typed.normalize('NFD')), 200)
})

test('nobody reads from an answer how a password is kept', async (t) => {
  const here = await world(t)
  await keep(here, await bcrypt('secret'))
  const answers = [
    await here.ann.get('/auth/me'),
    await here.ann.get(`/api/v1/users/${here.ann.id}`),
    await here.ann.patch('/auth/me', { fname: 'Anna' }),
    await here.nobody.form('/auth/token', { username: here.ann.email, password: 'wrong' }),
  ]
  for (const { body } of answers) assert.doesNotMatch(body, /\$2|argon2|hash/)
})
