import { writeSync } from 'node:fs'
import { loadFunctions } from '../host/load.ts'

// A program: writes the names of a module's functions to file descriptor 3.

const [, , module = ''] = process.argv
const functions = await loadFunctions(module)
writeSync(3, JSON.stringify([...functions.keys()]))
// Whatever the module has begun.
process.exit()
