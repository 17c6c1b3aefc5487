import fc from 'fast-check'

/** Parts that a document has beside its first, which are the arguments. */
const PARTS = 12

// Where a value stands in its document: most stand somewhere, so that parts are shared and go in circles.
const index = fc.oneof({ weight: 20, arbitrary: fc.nat(PARTS) }, fc.integer({ min: -8, max: PARTS + 2 }))
function tagged(first: unknown, others: unknown[]): unknown[] {
  return [first, ...others]
}

const container = fc.oneof(
  fc.array(index, { maxLength: 5 }),
  fc.dictionary(fc.constantFrom('a', 'b', 'then', 'constructor', '\\__proto__'), index),
  fc.array(fc.tuple(index, index), { maxLength: 3 }).map((pairs) => tagged('Map', pairs.flat())),
  fc.array(index, { maxLength: 5 }).map((members) => tagged('Set', members)),
)
const leaf = fc.constantFrom<unknown>('text', 5, true, null, ['Date', '2026-01-01T00:00:00.000Z'], ['BigInt', '5'])
const odd = fc.oneof(
  fc.tuple(fc.constantFrom('Map', 'Error', 'Date', 'RegExp', 'Object', 'null', 'BigInt', 'Uint8Array', 'URL'), index),
  fc.tuple(fc.constant(-7), fc.oneof(fc.nat(1_000), fc.constant(5_000_000_000)), index, index),
  fc.record({ kind: index, name: index, base: index, message: index, properties: index, cause: index, errors: index }),
)
const part = fc.oneof({ weight: 6, arbitrary: container }, { weight: 6, arbitrary: leaf }, odd)

/** Arguments as documents of the rich form, right or wrong. */
export const documents = fc
  .tuple(fc.array(index, { minLength: 1, maxLength: 4 }), fc.array(part, { minLength: PARTS, maxLength: PARTS }))
  .map(([args, parts]): unknown[] => tagged(args, parts))

const methods = fc.constantFrom(
  'GET',
  'POST',
  'PUT',
  'DELETE',
  'PATCH',
  'HEAD',
  'OPTIONS',
  'PROPFIND',
  'get',
  'X',
  'CONNECT',
)
const text = fc.string({ unit: 'grapheme-ascii', maxLength: 20 })
const segment = fc.oneof(
  fc.constantFrom('v1', 'calls', 'cancel', 'events', 'functions', 'stats', '..', '%2e', '%00', '%ff', '1:2:3.5:aa'),
  text.map(encodeURIComponent),
)
const queries = fc.oneof(
  fc.constant(''),
  fc
    .tuple(fc.constantFrom('timeout', 'limit', 'cursor', 'state', 'fn', 'x'), text)
    .map(([name, value]) => `?${name}=${encodeURIComponent(value)}`),
)
const paths = fc.oneof(
  fc.constantFrom('/v1/calls', '/v1/calls/x/cancel', '/v1/calls/x', '/v1/calls/x/events', '*', '//', '/v1//calls'),
  fc.array(segment, { maxLength: 5 }).map((segments) => `/${segments.join('/')}`),
)
const header = fc.tuple(
  fc.constantFrom(
    'accept',
    'prefer',
    'if-none-match',
    'last-event-id',
    'idempotency-key',
    'coatcheck-node',
    'content-type',
    'transfer-encoding',
    'content-length',
    'content-encoding',
    'expect',
    'upgrade',
    'x-other',
  ),
  fc.oneof(
    text,
    fc.constantFrom(
      'application/json',
      'application/vnd.coatcheck+json',
      '*/*',
      'chunked',
      '0',
      '-1',
      '5',
      'gzip',
      'text/event-stream',
    ),
  ),
)
const json = fc.oneof(
  fc.json(),
  fc
    .record(
      {
        fn: fc.oneof(fc.constantFrom('echo', 'nothing', '__proto__'), fc.jsonValue()),
        args: fc.oneof(fc.jsonValue(), fc.array(fc.jsonValue())),
        timeout: fc.oneof(fc.constant(0), fc.jsonValue()),
        extra: fc.jsonValue(),
      },
      { requiredKeys: [] },
    )
    .map((value) => JSON.stringify(value)),
)
const bodies = fc.oneof(
  fc.constant(''),
  json,
  text,
  json.map((value) => value.slice(0, -1)),
)
const types = fc.constantFrom('application/json', 'application/vnd.coatcheck+json', 'text/plain', '')

/** What may be sent, right or wrong. */
export const requests = fc.record({
  method: methods,
  path: paths,
  query: queries,
  headers: fc.array(header, { maxLength: 3 }),
  body: bodies,
  type: types,
})

export type ArbitraryRequest = typeof requests extends fc.Arbitrary<infer T> ? T : never
