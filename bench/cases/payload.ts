import { ALL, ON_THREADS } from '../contenders/contenders.ts'
import type { Contender } from '../contenders/contender.ts'
import { TIMES, type Case } from '../harness/case.ts'
import { underLoad } from '../harness/load.ts'

const MEGABYTE = 1_000_000
const IN_FLIGHT = 8

const SMALL = { id: 4_711, name: 'Ada Lovelace', tags: ['a', 'b', 'c'], at: 1_790_000_000_000, ok: true, note: null }
/** 10 KB as JSON. */
const LARGE = Array.from({ length: 100 }, (_, i) => ({ ...SMALL, id: i }))

export const smallObject: Case = {
  ...framed('An object of 100 B, there and back, 8 in flight', (contender) => contender.call('echo', SMALL)),
  contenders: ALL,
}

export const largeObject: Case = {
  ...framed('10 KB of objects, there and back, 8 in flight', (contender) => contender.call('echo', LARGE)),
  contenders: ALL,
}

const BUFFER = new Uint8Array(MEGABYTE).fill(7)

export const copiedBuffer: Case = framed('A buffer of 1 MB, copied, 8 in flight', async (contender) =>
  isWhole(await contender.call('size', BUFFER)),
)

export const movedBuffer: Case = {
  // Each call gives one away, and so makes one: that is part of what it takes. jest-worker would copy it.
  ...framed('A buffer of 1 MB, made and moved, 8 in flight', async (contender) => {
    const buffer = new Uint8Array(MEGABYTE)
    isWhole(await contender.call('size', buffer, [buffer.buffer]))
    if (buffer.byteLength > 0) throw new Error('the buffer was copied')
  }),
  contenders: ON_THREADS.filter((name) => name !== 'jest-worker'),
}

function framed(title: string, call: (contender: Contender) => Promise<unknown>): Case {
  return {
    title,
    // Over a pipe not all of them keep bytes bytes.
    contenders: ON_THREADS,
    figures: {
      rate: { title: 'rate', unit: 'calls/s', better: 'higher' },
      p50: { title: 'p50', unit: 'µs', better: 'lower' },
      p99: { title: 'p99', unit: 'µs', better: 'lower' },
    },
    async measure(create, effort) {
      const contender = await create({ workers: 2 })
      const load = { inFlight: IN_FLIGHT, ...TIMES[effort] }
      const { rate, p50, p99 } = await underLoad(() => call(contender), load)
      await contender.close()
      return { rate, p50, p99 }
    },
  }
}

function isWhole(size: unknown): void {
  if (size !== MEGABYTE) throw new Error(`${String(size)} bytes of ${MEGABYTE} arrived`)
}
