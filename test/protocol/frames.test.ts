import { deepEqual, equal, ok, throws } from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { encodeFrame, FrameError, FrameReader, NONCE_BYTES } from '../../src/protocol/frames.ts'

const NONCE = Buffer.alloc(NONCE_BYTES, 5)
const OTHER = Buffer.alloc(NONCE_BYTES, 6)

function framesOf(bodies: readonly Uint8Array[], nonce = NONCE): Buffer {
  return Buffer.concat(bodies.flatMap((body) => encodeFrame(nonce, Buffer.from(body))))
}

/** Cuts bytes at those places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [0, ...places.map((place) => place % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length]
  return at.slice(1).map((end, i) => bytes.subarray(at[i], end))
}

function readAll(reader: FrameReader, chunks: readonly Buffer[]): Buffer[] {
  return chunks.flatMap((chunk) => [...reader.push(chunk)])
}

function kindOf(read: () => unknown): string | undefined {
  try {
    read()
    return undefined
  } catch (error) {
    ok(error instanceof FrameError)
    return error.kind
  }
}

describe('frames', () => {
  const bodies = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 12 })
  const places = fc.array(fc.nat(10_000), { maxLength: 30 })

  test('come out as they were put in, however the stream is cut', () => {
    fc.assert(
      fc.property(bodies, places, (sent, cuts) => {
        const reader = new FrameReader(300, [NONCE])
        const read = readAll(reader, cut(framesOf(sent), cuts))
        deepEqual(
          read.map((body) => body.toString('hex')),
          sent.map((body) => Buffer.from(body).toString('hex')),
        )
        equal(reader.isPartial, false)
      }),
    )
  })

  test('come out byte by byte too', () => {
    const bytes = framesOf([Buffer.from('one'), Buffer.alloc(0), Buffer.from('three')])
    const reader = new FrameReader(10, [NONCE])
    const read = readAll(reader, cut(bytes, [...bytes.keys()]))
    deepEqual(read.map(String), ['one', '', 'three'])
  })

  test('that are not whole are told to be partial', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(200), (body, place) => {
        const bytes = framesOf([body])
        const length = place % bytes.length
        const reader = new FrameReader(100, [NONCE])
        deepEqual(readAll(reader, [bytes.subarray(0, length)]), [])
        equal(reader.isPartial, length > 0)
      }),
    )
  })

  test('of another nonce are refused as soon as their header is there, those before them are not', () => {
    fc.assert(
      fc.property(bodies, places, (sent, cuts) => {
        const bytes = Buffer.concat([framesOf(sent), framesOf([Buffer.from('x')], OTHER)])
        const reader = new FrameReader(300, [NONCE])
        const read: Buffer[] = []
        const kind = kindOf(() => {
          for (const chunk of cut(bytes, cuts)) for (const body of reader.push(chunk)) read.push(body)
        })
        equal(kind, 'foreign')
        equal(read.length, sent.length)
      }),
    )
  })

  test('of any nonce that is accepted are read, and of none other', () => {
    const reader = new FrameReader(10, [NONCE, OTHER])
    const bytes = Buffer.concat([framesOf([Buffer.from('a')]), framesOf([Buffer.from('b')], OTHER)])
    deepEqual(readAll(reader, [bytes]).map(String), ['a', 'b'])
    reader.accepted = [OTHER]
    equal(
      kindOf(() => readAll(reader, [framesOf([Buffer.from('c')])])),
      'foreign',
    )
  })

  test('have the nonce of the first where none is known', () => {
    const reader = new FrameReader(10)
    deepEqual(readAll(reader, [framesOf([Buffer.from('a')], OTHER)]).map(String), ['a'])
    throws(() => readAll(reader, [framesOf([Buffer.from('b')])]), FrameError)
  })

  test('above the limit are refused by their header alone', () => {
    for (const length of [11, 2_147_483_647, 4_294_967_295]) {
      const header = Buffer.concat(encodeFrame(NONCE, Buffer.alloc(0)))
      header.writeUInt32BE(length)
      equal(
        kindOf(() => readAll(new FrameReader(10, [NONCE]), [header])),
        'too-large',
      )
    }
    equal(readAll(new FrameReader(10, [NONCE]), [framesOf([Buffer.alloc(10)])]).length, 1)
  })

  test('are never read out of garbage', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 20, maxLength: 200 }), places, (bytes, cuts) => {
        fc.pre(!Buffer.from(bytes.subarray(4, 20)).equals(NONCE))
        const reader = new FrameReader(100, [NONCE])
        equal(
          kindOf(() => readAll(reader, cut(Buffer.from(bytes), cuts))),
          'foreign',
        )
      }),
    )
  })
})
