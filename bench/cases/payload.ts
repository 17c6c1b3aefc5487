import { NEAREST, ON_THREADS } from '../contenders/contenders.ts'
import { loadCase } from '../harness/load-case.ts'

const MEGABYTE = 1_000_000
const LOAD = { options: { workers: 2 }, inFlight: 8 }

const SMALL = { id: 4_711, name: 'Ada Lovelace', tags: ['a', 'b', 'c'], at: 1_790_000_000_000, ok: true, note: null }
/** 10 KB as JSON. */
const LARGE = Array.from({ length: 100 }, (_, i) => ({ ...SMALL, id: i }))
const BUFFER = new Uint8Array(MEGABYTE).fill(7)

export const smallObject = loadCase({
  title: 'An object of 100 B, there and back, 8 in flight',
  contenders: ON_THREADS,
  ...LOAD,
  call: (contender) => contender.call('echo', SMALL),
})

export const largeObject = loadCase({
  title: '10 KB of objects, there and back, 8 in flight',
  contenders: NEAREST,
  ...LOAD,
  call: (contender) => contender.call('echo', LARGE),
})

export const copiedBuffer = loadCase({
  title: 'A buffer of 1 MB, copied, 8 in flight',
  // Over a pipe not all of them keep bytes bytes.
  contenders: ON_THREADS,
  ...LOAD,
  call: async (contender) => checkSize(await contender.call('size', BUFFER)),
})

export const movedBuffer = loadCase({
  title: 'A buffer of 1 MB, made and moved, 8 in flight',
  // jest-worker would copy it.
  contenders: ON_THREADS.filter((name) => name !== 'jest-worker'),
  ...LOAD,
  async call(contender) {
    // Each call gives one away, and so makes one. It is not cleared, which would take longer than all the rest.
    const buffer = new Uint8Array(Buffer.allocUnsafeSlow(MEGABYTE).buffer)
    checkSize(await contender.call('size', buffer, [buffer.buffer]))
    if (buffer.byteLength > 0) throw new Error('the buffer was copied')
  },
})

function checkSize(size: unknown): void {
  if (size !== MEGABYTE) throw new Error(`${String(size)} bytes of ${MEGABYTE} arrived`)
}
