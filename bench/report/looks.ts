import type { Case } from '../harness/case.ts'
import type { Measured } from '../harness/rounds.ts'
import type { Mark } from '../marks.ts'
import { judgeCheck, type Verdict } from './verdict.ts'

/** How often a case is measured for a mark that is missed: it can be the noise of the machine. */
export const LOOKS = 3

interface Looker {
  /** Measures those that are needed for these marks. */
  measure(marks: readonly Mark[]): Promise<Measured[]>
  /** Whether another look can tell more. */
  isWorthAnother(): boolean
  /** Told what each look says. */
  onVerdict(verdict: Verdict, isLast: boolean): void
}

/** What is missed of the marks of one case, however often it is measured. */
export async function missesOf(marks: readonly Mark[], figures: Case['figures'], looker: Looker): Promise<Verdict[]> {
  const all: Measured[] = []
  let open = marks
  for (let look = 1; ; look++) {
    all.push(...(await looker.measure(open)))
    const isLast = look === LOOKS || !looker.isWorthAnother()
    const verdicts = open.map((mark) => judgeCheck(mark, figures, all))
    for (const verdict of verdicts) looker.onVerdict(verdict, isLast)
    const misses = verdicts.filter(({ isMet }) => !isMet)
    if (isLast || misses.length === 0) return misses
    open = misses.map(({ mark }) => mark)
  }
}
