import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { installation } from './command.ts'
import { freePort } from './free-port.ts'
import { until } from './server.ts'
import { fill, smallDisk } from './small-disk.ts'

const BUILT = resolve(import.meta.dirname, '../dist/main.js')

for (const [format, workers] of [
  ['json', '1'],
  ['json', '2'],
  ['pretty', '1'],
] as const) {
  test(`a full disk under the log ends nothing, and lines are logged again once there is room (${format}, processes: ${workers})`, async (t) => {
    const disk = smallDisk(t)
    if (!disk) return t.skip('no disk may be mounted here')
    const { directory, variables } = await installation(t)
    const port = await freePort()
    const log = openSync(join(disk, 'log'), 'a')
    const child = spawn(process.execPath, [BUILT], {
      cwd: directory,
      env: {
        ...{ PATH: process.env.PATH, ...variables, PORT: String(port), LOG_FORMAT: format },
        // Has a worker say something on standard error, which its supervisor passes on.
        ...{ WEB_CONCURRENCY: workers, NODE_DEBUG: workers === '1' ? '' : 'http' },
      },
      stdio: ['ignore', log, log],
    })
    closeSync(log)
    const ended = once(child, 'exit')
    t.after(async () => {
      child.kill('SIGTERM')
      await ended
    })
    const lines = () => readFileSync(join(disk, 'log'), 'utf8').split('\n')
    const lineWith = (text: string) => lines().find((line) => line.includes(text))
    const written = (text: string) =>
      until(
        () => lineWith(text) !== undefined || child.exitCode !== null,
        () => lines().join('\n'),
      )
    const ask = async (path: string) =>
      (await fetch(`http://127.0.0.1:${port}${path}`, { redirect: 'manual' })).status

    await written('Listening on')
    assert.equal(await ask('/before'), 404)
    await written('/before')
    fill(join(disk, 'ballast'))
    for (let count = 0; count < 100; count++) assert.equal(await ask('/meanwhile'), 404)
    rmSync(join(disk, 'ballast'))
    assert.equal(await ask('/after'), 404)
    await written('/after')
    const kept = lines().filter((line) => line.includes('/meanwhile'))
    assert.equal(kept.length, 100, 'what was logged meanwhile came later')
    const after = lineWith('/after') ?? ''
    if (format === 'json') assert.equal(JSON.parse(after).req.path, '/after')
    else assert.match(after, /^ +"path": "\/after",$/)

    fill(join(disk, 'ballast'))
    // More than is kept.
    const long = `/long/${'x'.repeat(14_000)}`
    for (let count = 0; count < 800; count++) assert.equal(await ask(long), 404)
    rmSync(join(disk, 'ballast'))
    assert.equal(await ask('/at-last'), 404)
    await written('/at-last')
    assert.equal(child.exitCode, null)
  })
}
