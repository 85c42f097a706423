import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { cpuQuota, fittingConnections } from '../src/config/concurrency.ts'

/** A root with these files in it. */
function rootWith(t: TestContext, files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), 'todo-app-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), `${content}\n`)
  }
  return root
}

test('the CPUs of a container are read from control groups of both versions, in parts too', (t) => {
  const cases: ReadonlyArray<[Record<string, string>, number | undefined]> = [
    [{ 'proc/self/cgroup': '0::/', 'sys/fs/cgroup/cpu.max': '150000 100000' }, 1.5],
    [{ 'proc/self/cgroup': '0::/', 'sys/fs/cgroup/cpu.max': 'max 100000' }, undefined],
    [
      {
        'proc/self/cgroup': '0::/pod/app',
        'sys/fs/cgroup/pod/app/cpu.max': 'max 100000',
        'sys/fs/cgroup/pod/cpu.max': '50000 100000',
      },
      0.5,
    ],
    [
      {
        'proc/self/cgroup': '5:memory:/\n4:cpu,cpuacct:/docker/x\n0::/',
        'sys/fs/cgroup/cpu,cpuacct/docker/x/cpu.cfs_quota_us': '300000',
        'sys/fs/cgroup/cpu,cpuacct/docker/x/cpu.cfs_period_us': '100000',
      },
      3,
    ],
    [
      {
        // As seen from inside a container: its own folder is the root of the tree.
        'proc/self/cgroup': '4:cpu,cpuacct:/docker/x',
        'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '200000',
        'sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000',
      },
      2,
    ],
    [
      {
        'proc/self/cgroup': '4:cpu:/',
        'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1',
        'sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000',
      },
      undefined,
    ],
    [{}, undefined],
  ]
  for (const [files, expected] of cases) assert.equal(cpuQuota(rootWith(t, files)), expected)
})

test('as many connections are taken as there is memory for, however many workers share it', () => {
  const MiB = 2 ** 20
  const cases: ReadonlyArray<[workers: number, memory: number, connections: number]> = [
    [1, 256 * MiB, 1024],
    [1, 512 * MiB, 8192],
    [1, 24 * 1024 * MiB, 16_384],
    [2, 1024 * MiB, 6144],
    [8, 2048 * MiB, 1024],
  ]
  for (const [workers, memory, connections] of cases) {
    assert.equal(fittingConnections(workers, memory), connections)
  }
})
