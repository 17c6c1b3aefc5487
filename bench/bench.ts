// Measures what calls cost, beside what a user would pick instead: `npm run bench`, `npm run bench -- one-at-a-time`.
import { mkdirSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { CASES } from './cases/cases.ts'
import type { Effort } from './harness/case.ts'
import { describeMachine } from './harness/machine.ts'
import { measureCase, type Measured } from './harness/rounds.ts'
import { tableOf } from './report/table.ts'

const RESULTS = new URL('./results/', import.meta.url)

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '3' }, short: { type: 'boolean', default: false } },
})
const names = positionals.length > 0 ? positionals : Object.keys(CASES)
const unknown = names.filter((name) => !Object.hasOwn(CASES, name))
const rounds = Number(values.rounds)
if (unknown.length > 0) fail(`there is no case ${unknown.join(', ')}; there are: ${Object.keys(CASES).join(', ')}`)
if (!Number.isInteger(rounds) || rounds < 1) fail(`--rounds must be a whole number from 1, not ${values.rounds}`)

const effort: Effort = values.short ? 'short' : 'full'
const machine = describeMachine()
const cases: Record<string, Measured[]> = {}
for (const name of names) cases[name] = await run(name)
mkdirSync(RESULTS, { recursive: true })
writeFileSync(new URL('latest.json', RESULTS), `${JSON.stringify({ machine, effort, cases }, undefined, 2)}\n`)

async function run(name: string): Promise<Measured[]> {
  const measured = CASES[name]
  if (!measured) throw new Error(`there is no case ${name}`)
  const onProgress = (round: number, contender: string): void =>
    showProgress(`${name}, round ${round + 1} of ${rounds}: ${contender}`)
  const results = await measureCase({ name, case: measured, rounds, effort, onProgress })
  showProgress('')
  console.log(tableOf(measured, results))
  return results
}

/** On one line that each call writes anew; not where nobody looks on. */
function showProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001B[K${text}`)
}

function fail(message: string): never {
  console.error(message)
  process.exit(2)
}
