// Measures what calls cost, beside what a user would pick instead: `npm run bench`, `npm run bench -- one-at-a-time`.
// Leaves the results in bench/results: as JSON, and as a page to look at. Those of some cases are called by their names.
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { CASES } from './cases/cases.ts'
import type { Effort } from './harness/case.ts'
import { describeMachine } from './harness/machine.ts'
import { measureCase, type Measured } from './harness/rounds.ts'
import { MARKS } from './marks.ts'
import { pageOf, type Section } from './report/page.ts'
import { showProgress } from './report/progress.ts'
import { LATEST, writeResults } from './report/results.ts'
import { tableOf } from './report/table.ts'
import { describeVerdict, judgeGoal } from './report/verdict.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '3' }, short: { type: 'boolean', default: false } },
})
const names = positionals.length > 0 ? positionals : Object.keys(CASES)
const called = positionals.length > 0 ? names.join('+') : LATEST
const unknown = names.filter((name) => !Object.hasOwn(CASES, name))
const rounds = Number(values.rounds)
if (unknown.length > 0) fail(`there is no case ${unknown.join(', ')}; there are: ${Object.keys(CASES).join(', ')}`)
if (!Number.isInteger(rounds) || rounds < 1) fail(`--rounds must be a whole number from 1, not ${values.rounds}`)

const effort: Effort = values.short ? 'short' : 'full'
const machine = describeMachine()
const sections: Section[] = []
for (const name of names) {
  try {
    sections.push(await run(name))
  } catch (error) {
    // The other cases are still worth their time.
    showProgress('')
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}

if (sections.length === 0) process.exit()
const verdicts = sections.flatMap(({ name, case: { figures }, measured }) =>
  MARKS.filter((mark) => mark.case === name && mark.goal !== undefined).map((mark) =>
    judgeGoal(mark, figures, measured),
  ),
)
for (const verdict of verdicts) console.log(`${verdict.isMet ? 'met     ' : 'not met '} ${describeVerdict(verdict)}`)
const cases = Object.fromEntries(sections.map(({ name, measured }) => [name, measured]))
const page = writeResults(called, { machine, effort, cases }, pageOf({ machine, sections, verdicts }))
console.log(`\n${fileURLToPath(page)}`)

async function run(name: string): Promise<Section> {
  const measured = CASES[name]
  if (!measured) throw new Error(`there is no case ${name}`)
  const onProgress = (round: number, contender: string, most: number): void =>
    showProgress(`${name}, round ${round + 1} of ${most}: ${contender}`)
  const results: Measured[] = await measureCase({ name, case: measured, rounds, effort, onProgress })
  showProgress('')
  console.log(tableOf(measured, results))
  return { name, case: measured, measured: results }
}

function fail(message: string): never {
  console.error(message)
  process.exit(2)
}
