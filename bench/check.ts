// A short form of the suite: fails when a figure, held against the others of the same run, is worse than its mark in
// marks.ts lets through. `npm run bench:check`
import { CASES } from './cases/cases.ts'
import { busyShare } from './harness/busy.ts'
import type { Case } from './harness/case.ts'
import { measureCase, type Measured } from './harness/rounds.ts'
import { MARKS, type Mark } from './marks.ts'
import { missesOf } from './report/looks.ts'
import { showProgress } from './report/progress.ts'
import { contendersOf, describeVerdict, type Verdict } from './report/verdict.ts'

const ROUNDS = 2

/** Which share of the processors others may use: a time that is missed while they use more says nothing. */
const MOST_BUSY = 0.15

const checked = MARKS.filter(({ check }) => check !== undefined)
const missed: Verdict[] = []
const unclear: Verdict[] = []
for (const [name, marks] of Map.groupBy(checked, (mark) => mark.case)) {
  const { misses, busy } = await checkCase(name, marks)
  for (const verdict of misses) {
    const list = busy > MOST_BUSY && verdict.figure.unit !== 'bytes' ? unclear : missed
    list.push(verdict)
  }
}
for (const verdict of unclear) console.log(`unclear, others use the processors: ${describeVerdict(verdict)}`)
for (const verdict of missed) console.error(`missed at each look: ${describeVerdict(verdict)}`)
if (missed.length > 0) process.exitCode = 1

/** What is missed of a case, and which share of the processors others used at most before and after each look. */
async function checkCase(name: string, marks: Mark[]): Promise<{ misses: Verdict[]; busy: number }> {
  const measured = CASES[name]
  if (!measured) throw new Error(`bench/marks.ts has a mark for ${name}; there is no such case`)
  let busy = await busyShare()
  const misses = await missesOf(marks, measured.figures, {
    async measure(open) {
      const results = await measure(name, measured, open)
      busy = Math.max(busy, await busyShare())
      return results
    },
    isWorthAnother: () => busy <= MOST_BUSY,
    onVerdict(verdict, isLast) {
      const miss = isLast ? 'missed' : 'measured again'
      console.log(`${describeVerdict(verdict)}: ${verdict.isMet ? 'met' : miss}`)
    },
  })
  return { misses, busy }
}

/** Only those that are needed to judge these marks. */
async function measure(name: string, measured: Case, marks: readonly Mark[]): Promise<Measured[]> {
  const needed = new Set(marks.flatMap(contendersOf))
  const contenders = measured.contenders.filter((contender) => needed.has(contender))
  const onProgress = (_round: number, contender: string): void => showProgress(`${name}: ${contender}`)
  const results = await measureCase({
    name,
    case: { ...measured, contenders },
    rounds: ROUNDS,
    effort: 'short',
    onProgress,
  })
  showProgress('')
  return results
}
