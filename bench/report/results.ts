import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { Effort } from '../harness/case.ts'
import type { Machine } from '../harness/machine.ts'
import type { Measured } from '../harness/rounds.ts'

/** What a run of the suite gave. */
export interface Results {
  machine: Machine
  effort: Effort
  /** By the names of the cases. */
  cases: Record<string, readonly Measured[]>
}

const FOLDER = new URL('../results/', import.meta.url)
/** What the results of a run of all cases are called. */
export const LATEST = 'latest'

/** @returns where the page is. */
export function writeResults(name: string, results: Results, page: string): URL {
  mkdirSync(FOLDER, { recursive: true })
  writeFileSync(fileOf(name, 'json'), `${JSON.stringify(results, undefined, 2)}\n`)
  const pageFile = fileOf(name, 'html')
  writeFileSync(pageFile, page)
  return pageFile
}

/** Those of the last run of all cases. @throws if there was none. */
export function readResults(): Results {
  try {
    return JSON.parse(readFileSync(fileOf(LATEST, 'json'), 'utf8')) as Results
  } catch (cause) {
    throw new Error('there are no results that can be read; `npm run bench` makes them', { cause })
  }
}

function fileOf(name: string, ending: 'html' | 'json'): URL {
  return new URL(`${name}.${ending}`, FOLDER)
}
