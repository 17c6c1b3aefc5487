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
const LATEST = new URL('latest.json', FOLDER)
const PAGE = new URL('latest.html', FOLDER)

/** @returns where the page is. */
export function writeResults(results: Results, page: string): URL {
  mkdirSync(FOLDER, { recursive: true })
  writeFileSync(LATEST, `${JSON.stringify(results, undefined, 2)}\n`)
  writeFileSync(PAGE, page)
  return PAGE
}

/** @throws if there was no run. */
export function readResults(): Results {
  try {
    return JSON.parse(readFileSync(LATEST, 'utf8')) as Results
  } catch (cause) {
    throw new Error('there are no results that can be read; `npm run bench` makes them', { cause })
  }
}
