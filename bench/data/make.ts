// Makes a SQLite data set: node bench/data/make.ts 10000000
import { loadSqlite } from './load.ts'

const began = performance.now()
const url = await loadSqlite(Number(process.argv[2] ?? 10_000))
console.log(`${url} in ${Math.round((performance.now() - began) / 1000)} s`)
