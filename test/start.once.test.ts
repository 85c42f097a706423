import assert from 'node:assert/strict'
import { test } from 'node:test'
import { installation } from './command.ts'

const TOLD = { NODE_DEBUG_NATIVE: 'COMPILE_CACHE' }

test('a start takes the code that an earlier one compiled', async (t) => {
  const { todo } = await installation(t)
  assert.equal((await todo(['--version'])).code, 0)
  const { code, stderr } = await todo(['--version'], { variables: TOLD })
  assert.equal(code, 0)
  assert.match(stderr, /node_modules\/\.cache\/node/)
  assert.match(stderr, /code cache for ESM \S+\/src\/command-line\.ts was accepted/)
})

test('it starts as well where no compiled code may be kept', async (t) => {
  const { todo } = await installation(t)
  const { code, stdout } = await todo(['--version'], {
    variables: { NODE_COMPILE_CACHE: '/dev/null/none' },
  })
  assert.equal(code, 0)
  assert.match(stdout, /^\d+\.\d+\.\d+/)
})
