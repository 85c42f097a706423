import { enableCompileCache } from 'node:module'
import { fileURLToPath } from 'node:url'

// Compiled code is kept beside the packages, which only who installs may write, and not in the
// temporary folder of everyone, which is Node's default. Where this process may not write either, it
// reads what is there and compiles the rest. What is imported below must come after this line.
enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/node', import.meta.url)))

await import('./command-line.ts')
