import { deepEqual } from 'node:assert/strict'
import { test } from 'node:test'
import { tableOf } from '../../bench/report/table.ts'
import type { Case } from '../../bench/harness/case.ts'
import type { Measured } from '../../bench/harness/rounds.ts'

const latency: Case = {
  title: 'A case',
  contenders: ['piscina', 'coatcheck call'],
  figures: { p50: { title: 'p50', unit: 'µs', better: 'lower' } },
  measure: () => Promise.reject(new Error('is not measured here')),
}

function measured(contender: Measured['contender'], p50: number): Measured {
  return { contender, rounds: [{ p50 }], medians: { p50 } }
}

test('the best contender stands first, with its share of what Piscina takes', () => {
  const table = tableOf(latency, [measured('piscina', 2_000.4), measured('coatcheck call', 500)])
  deepEqual(table.split('\n'), [
    'A case',
    "                   p50, µs   of piscina's",
    '  coatcheck call       500           0.25',
    '  piscina            2,000           1.00',
    '',
  ])
})

test('of rates the highest is the best', () => {
  const rates: Case = { ...latency, figures: { p50: { title: 'rate', unit: 'calls/s', better: 'higher' } } }
  const lines = tableOf(rates, [measured('coatcheck call', 1), measured('piscina', 2)]).split('\n')
  deepEqual([lines[2]?.trim().split(/ +/u)[0], lines[3]?.trim().split(/ +/u)[0]], ['piscina', 'coatcheck'])
})

test('a case without Piscina is held against the contender that it names', () => {
  const controlled: Case = { ...latency, contenders: ['coatcheck spare', 'bare Node'], reference: 'bare Node' }
  const table = tableOf(controlled, [measured('bare Node', 40), measured('coatcheck spare', 2)])
  deepEqual(table.split('\n').slice(1, 4), [
    "                    p50, µs   of bare Node's",
    '  coatcheck spare      2.00             0.05',
    '  bare Node            40.0             1.00',
  ])
})
