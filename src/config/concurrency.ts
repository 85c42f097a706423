import { readFileSync } from 'node:fs'
import { availableParallelism, totalmem } from 'node:os'
import { join } from 'node:path'
import { sqlitePath } from '../db/url.ts'

const MiB = 1024 * 1024

/** What a worker needs under load, and what the supervisor takes, both measured (docs/operations.md). */
const WORKER_MEMORY = 256 * MiB
const SUPERVISOR_MEMORY = 128 * MiB

/** What a connection takes that holds 16 KiB of a request. */
const CONNECTION_MEMORY = 32 * 1024

/** With the default pool this many workers stay below PostgreSQL's default of 100 connections. */
const WORKERS_MAX = 8

/**
 * How many workers fit this machine or container: one for each whole CPU that it is given, as long
 * as there is memory for each, and eight at most. On SQLite one: there several are no faster, and
 * wait for each other's writes (docs/operations.md).
 */
export function fittingWorkers(databaseUrl: string): number {
  if (sqlitePath(databaseUrl) !== undefined) return 1
  const cpus = Math.min(availableParallelism(), cpuQuota() ?? Number.POSITIVE_INFINITY)
  const room = (availableMemory() - SUPERVISOR_MEMORY) / WORKER_MEMORY
  return Math.max(1, Math.min(Math.floor(cpus), Math.floor(room), WORKERS_MAX))
}

/** What this machine or container has, in bytes. Without a limit Node says 0, or more than there is. */
const availableMemory = () => Math.min(process.constrainedMemory() || totalmem(), totalmem())

/**
 * How many connections of one of so many workers fit `memory`: each may hold a head or a small body, beside what the worker
 * itself needs. From 1,024 to 16,384.
 */
export function fittingConnections(workers: number, memory = availableMemory()): number {
  const share = workers === 1 ? memory : (memory - SUPERVISOR_MEMORY) / workers
  const room = Math.floor((share - WORKER_MEMORY) / CONNECTION_MEMORY)
  return Math.max(1024, Math.min(room, 16_384))
}

/**
 * The CPUs that the control group of this process may use, in parts of a CPU too; undefined without
 * a limit. Node's own count rounds them. Version 2 (`cpu.max`) and version 1 (`cpu.cfs_quota_us`);
 * a limit further up the tree counts as well. `root` is where `/proc` and `/sys` are.
 */
export function cpuQuota(root = '/'): number | undefined {
  const read = (...path: string[]): string => {
    try {
      return readFileSync(join(root, ...path), 'utf8').trim()
    } catch {
      // Not Linux, another version of control groups, or a part of the tree outside the container.
      return ''
    }
  }
  const quotas = read('proc/self/cgroup')
    .split('\n')
    .flatMap((line) => {
      const [, controllers = '', path = '/'] = /^\d+:([^:]*):(.*)$/.exec(line) ?? []
      const isVersion2 = controllers === ''
      if (!isVersion2 && !controllers.split(',').includes('cpu')) return []
      const mounts = isVersion2 ? ['', 'unified'] : [controllers, 'cpu']
      return ancestors(path).flatMap((folder) =>
        mounts.map((mount) => {
          const at = (file: string) => read('sys/fs/cgroup', mount, folder, file)
          const [quota, period] = isVersion2
            ? at('cpu.max').split(' ')
            : [at('cpu.cfs_quota_us'), at('cpu.cfs_period_us')]
          return Number(quota) / Number(period)
        }),
      )
    })
    .filter((quota) => quota > 0)
  return quotas.length > 0 ? Math.min(...quotas) : undefined
}

/** A folder and those above it: `/a/b`, `/a`, `/`. */
function ancestors(path: string): string[] {
  const steps = path.split('/').filter(Boolean)
  return [...steps, ''].map((_, index) => steps.slice(0, steps.length - index).join('/'))
}
