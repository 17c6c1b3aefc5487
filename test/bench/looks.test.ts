import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import { LOOKS, missesOf } from '../../bench/report/looks.ts'
import type { Mark } from '../../bench/marks.ts'
import { LATENCY, measured } from './sample.ts'

const faster: Mark = { case: 'a', figure: 'p50', contender: 'coatcheck call', against: 'piscina', check: 0.5 }
const more: Mark = { case: 'a', figure: 'rate', contender: 'coatcheck call', against: 'piscina', check: 2 }

/** One after the other is what a look finds of coatcheck, beside a Piscina of 100 each. */
async function look(marks: readonly Mark[], ...found: { p50: number; rate: number }[]) {
  const asked: string[][] = []
  const misses = await missesOf(marks, LATENCY.figures, {
    async measure(open) {
      const figures = found[asked.length] ?? { p50: 1_000, rate: 1 }
      asked.push(open.map(({ figure }) => figure))
      return [measured('coatcheck call', figures), measured('piscina', { p50: 100, rate: 100 })]
    },
    isWorthAnother: () => asked.length < found.length,
    onVerdict: () => {},
  })
  return { asked, misses: misses.map(({ mark, ratio }) => [mark.figure, ratio]) }
}

test('marks that are met are measured once', async () => {
  deepEqual(await look([faster, more], { p50: 50, rate: 200 }), { asked: [['p50', 'rate']], misses: [] })
})

test('only for a mark that is missed, a case is measured again', async () => {
  const { asked, misses } = await look([faster, more], { p50: 80, rate: 200 }, { p50: 40, rate: 1 })
  deepEqual(asked, [['p50', 'rate'], ['p50']])
  deepEqual(misses, [])
})

test('a mark that is missed at every look is missed by the best that was found', async () => {
  const found = [90, 70, 80, 10].map((p50) => ({ p50, rate: 1 }))
  const { asked, misses } = await look([faster], ...found)
  equal(asked.length, LOOKS)
  deepEqual(misses, [['p50', 0.7]])
})

test('what another look cannot tell is not measured again', async () => {
  const { asked, misses } = await look([faster], { p50: 90, rate: 1 })
  equal(asked.length, 1)
  deepEqual(misses, [['p50', 0.9]])
})
