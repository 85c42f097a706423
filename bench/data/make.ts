// Makes a SQLite data set: node bench/data/make.ts 10000000
import { resolve } from 'node:path'
import { loadSqlite } from './load.ts'

const size = Number(process.argv[2] ?? 10_000)
const path = resolve(`.tmp/bench/${size}.db`)
const began = performance.now()
await loadSqlite(path, size)
console.log(`${path} in ${Math.round((performance.now() - began) / 1000)} s`)
