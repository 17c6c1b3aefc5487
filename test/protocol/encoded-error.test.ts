import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeError, encodeError, type EncodedError } from '../../src/protocol/encoded-error.ts'

/** What the runner makes of what a function threw. */
function travel(thrown: unknown): unknown {
  return decodeError(structuredClone(encodeError(thrown)))
}

/** The same, of an error. */
function arrive(thrown: unknown): Error & Record<string, unknown> {
  const error = travel(thrown)
  ok(error instanceof Error)
  return error as Error & Record<string, unknown>
}

class QuotaError extends Error {
  limit: number
  constructor(limit: number) {
    super(`over ${limit}`)
    this.limit = limit
  }
}

test('an error of a built-in class comes back as one', () => {
  for (const type of [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError]) {
    const error = arrive(new type('why'))
    equal(error.constructor, type)
    deepEqual([error.name, error.message, String(error)], [type.name, 'why', `${type.name}: why`])
    deepEqual(Object.keys(error), [])
  }
})

test('an error of any other class keeps the name of its class', () => {
  const error = arrive(new QuotaError(5))
  deepEqual([error.name, error.message, error['limit']], ['QuotaError', 'over 5', 5])
  equal(String(error), 'QuotaError: over 5')
  deepEqual(Object.keys(error), ['limit'])
})

test('a name that an error was given goes before that of its class', () => {
  equal(arrive(Object.assign(new QuotaError(5), { name: 'OverQuota' })).name, 'OverQuota')
  class Named extends TypeError {
    override name = 'NamedError'
  }
  equal(arrive(new Named('why')).name, 'NamedError')
  equal(arrive(new (class extends Error {})('why')).name, 'Error')
})

test('own properties come along, code among them', () => {
  const properties = { code: 'E_BOOM', errno: -2, detail: { list: [1, new Date(0)] }, none: undefined, nil: null }
  const error = arrive(Object.assign(new RangeError('boom'), properties))
  deepEqual({ ...error }, properties)
  equal(error.constructor, RangeError)
})

test("Node's own errors keep their code", () => {
  let thrown: unknown
  try {
    ok(new URL('nonsense'))
  } catch (error) {
    thrown = error
  }
  const error = arrive(thrown)
  deepEqual([error.name, error['code'], error['input']], ['TypeError', 'ERR_INVALID_URL', 'nonsense'])
})

test('a code that is on the prototype comes along', () => {
  class Coded extends Error {
    get code(): string {
      return 'E_CODED'
    }
  }
  equal(arrive(new Coded('why'))['code'], 'E_CODED')
})

test('a DOMException keeps its name, message and code', () => {
  const error = arrive(new DOMException('stopped', 'AbortError'))
  deepEqual([error.name, error.message, error['code']], ['AbortError', 'stopped', 20])
})

test('a cause that is an error comes along with its class, and so does its own cause', () => {
  const innermost = Object.assign(new TypeError('c'), { code: 'E_C' })
  equal('cause' in arrive(new QuotaError(1)), false)
  const outer = arrive(new Error('a', { cause: Object.assign(new QuotaError(2), { cause: innermost }) }))
  const middle = outer.cause as Error
  deepEqual([middle.name, middle.message], ['QuotaError', 'over 2'])
  const inner = middle.cause as Error & { code: unknown }
  deepEqual([inner.constructor, inner.message, inner.code], [TypeError, 'c', 'E_C'])
  equal(Object.keys(outer).includes('cause'), false)
})

test('a cause need not be an error', () => {
  for (const cause of ['text', 0, null, { a: [1] }, false]) deepEqual(arrive(new Error('a', { cause })).cause, cause)
})

test('an AggregateError comes back as one, with all of its errors', () => {
  const thrown = new AggregateError([new QuotaError(1), 'text', new RangeError('b', { cause: 'c' })], 'many')
  const error = travel(thrown)
  ok(error instanceof AggregateError)
  equal(error.message, 'many')
  const [first, second, third] = error.errors as [Error, unknown, Error]
  deepEqual([first.name, second, third.constructor, third.cause], ['QuotaError', 'text', RangeError, 'c'])
  deepEqual(Object.keys(error), [])
})

test('errors of an error that is no AggregateError are an own property like any other', () => {
  // As Mongoose and Zod have them.
  const byField = { name: { message: 'too short' } }
  deepEqual(arrive(Object.assign(new QuotaError(1), { errors: byField }))['errors'], byField)
  const error = arrive(Object.assign(new RangeError('a'), { errors: ['b'] }))
  equal(error.constructor, RangeError)
  deepEqual({ ...error }, { errors: ['b'] })
})

test('an error among the own properties comes along with its class', () => {
  const error = arrive(Object.assign(new Error('a'), { original: new QuotaError(3) }))
  const original = error['original'] as Error & { limit: number }
  ok(original instanceof Error)
  deepEqual([original.name, original.limit], ['QuotaError', 3])
})

test('the stack is the one of the place where it was thrown', () => {
  const thrown = new QuotaError(1)
  equal(arrive(thrown).stack, thrown.stack)
  equal(Object.keys(arrive(thrown)).includes('stack'), false)
})

test('an error without a stack has none afterwards', () => {
  const thrown = new TypeError('why')
  delete thrown.stack
  equal(arrive(thrown).stack, undefined)
})

test('what is thrown and is no error comes back as it is', () => {
  for (const thrown of ['text', '', 0, NaN, 10n, null, undefined, true, { code: 'E' }, [1, [2]], new Map([[1, 2]])]) {
    deepEqual(travel(thrown), thrown)
  }
})

test('what is thrown and cannot travel comes back as a picture of itself', () => {
  equal(travel(Symbol('s')), 'Symbol(s)')
  match(travel(() => 1) as string, /^\[Function/)
  match(travel({ save: () => 1 }) as string, /save: \[Function/)
})

test('own properties that cannot travel come back as pictures of themselves, and take nothing along', () => {
  const error = arrive(Object.assign(new QuotaError(1), { save: () => 1, when: Promise.resolve(1), tag: Symbol('s') }))
  match(error['save'] as string, /^\[Function/)
  match(error['when'] as string, /^Promise/)
  deepEqual([error['tag'], error['limit'], error.name], ['Symbol(s)', 1, 'QuotaError'])
})

test('a property that cannot be read does not hide the error that has it', () => {
  const thrown = Object.defineProperty(new QuotaError(1), 'lazy', {
    enumerable: true,
    get() {
      throw new Error('not now')
    },
  })
  const error = arrive(thrown)
  deepEqual([error.name, error.message, error['limit']], ['QuotaError', 'over 1', 1])
})

test('nothing that is thrown can make the encoding throw', () => {
  const hostile = (thrown: unknown): ProxyHandler<object> => {
    const trap = (): never => {
      throw thrown
    }
    return { get: trap, has: trap, ownKeys: trap, getPrototypeOf: trap, getOwnPropertyDescriptor: trap }
  }
  const getter = (object: object, key: string, thrown: unknown): object =>
    Object.defineProperty(object, key, {
      enumerable: true,
      get() {
        throw thrown
      },
    })
  for (const inner of [
    new Error('inner'),
    Object.create(null),
    Symbol('s'),
    undefined,
    new Proxy({}, hostile('deep')),
  ]) {
    const thrown = [
      new Proxy({}, hostile(inner)),
      new Proxy(new Error('a'), hostile(inner)),
      Object.assign(new Error('a'), { inner: new Proxy({}, hostile(inner)) }),
      getter({}, 'a', inner),
      ...['name', 'message', 'stack', 'cause', 'errors', 'code', 'constructor', 'lazy'].map((key) =>
        getter(new Error('a'), key, inner),
      ),
    ]
    for (const each of thrown) structuredClone(encodeError(each))
  }
})

test('strange names, messages and stacks are written as text', () => {
  const odd = Object.create(null) as object
  for (const value of [Symbol('s'), 5, { a: 1 }, null, odd, () => 1]) {
    for (const key of ['name', 'message', 'stack']) {
      const encoded = encodeError(Object.defineProperty(new Error('a'), key, { value }))
      structuredClone(encoded)
      if (encoded.kind === 'error') deepEqual([typeof encoded.name, typeof encoded.message], ['string', 'string'])
    }
  }
  class Named extends Error {
    // Hides the name of the class.
    static override name = (() => 'not a string') as unknown as string
  }
  structuredClone(encodeError(new Named('a')))
})

test('a chain of causes that goes round ends somewhere', () => {
  const [first, second] = [new Error('a'), new QuotaError(2)]
  first.cause = second
  second.cause = first
  const error = arrive(first)
  deepEqual(
    [error.message, (error.cause as Error).name, ((error.cause as Error).cause as Error).message],
    ['a', 'QuotaError', 'a'],
  )
})

test('a long chain of causes comes along for its first ten at least', () => {
  let thrown = new QuotaError(100)
  for (let i = 99; i >= 0; i--) thrown = Object.assign(new QuotaError(i), { cause: thrown })
  let at: unknown = arrive(thrown)
  for (let i = 0; i < 10; i++) {
    ok(at instanceof Error)
    deepEqual([at.name, at.message], ['QuotaError', `over ${i}`])
    at = at.cause
  }
})

test('a chain of causes of any length arrives', () => {
  for (const length of [100, 1_000, 4_000, 20_000]) {
    let thrown: Error = new QuotaError(0)
    for (let i = 0; i < length; i++) thrown = new Error(`${i}`, { cause: thrown })
    deepEqual([arrive(thrown).message, arrive(thrown).stack], [thrown.message, thrown.stack])
  }
})

test('an error that refers to itself in many ways is not written many times', () => {
  const thrown = Object.assign(new AggregateError([], 'round'), { self: undefined as unknown })
  thrown.errors.push(thrown)
  thrown.self = thrown
  const nodes = (encoded: EncodedError): number => {
    if (encoded.kind !== 'error') return 1
    const { properties, cause, errors = [] } = encoded
    const inner = [...properties.map(([, value]) => value), ...errors, ...(cause ? [cause] : [])]
    return 1 + inner.map(nodes).reduce((a, b) => a + b, 0)
  }
  const count = nodes(encodeError(thrown))
  ok(count < 1_000, `${count} times`)
})

test('properties with names of the language do no harm', () => {
  const thrown = Object.defineProperty(new Error('a'), '__proto__', { value: { evil: true }, enumerable: true })
  const error = arrive(thrown)
  equal(error['evil'], undefined)
  ok(Object.hasOwn(error, '__proto__'))
  equal(({} as Record<string, unknown>)['evil'], undefined)
})

const anyValue = fc.oneof(
  fc.anything({
    withDate: true,
    withMap: true,
    withSet: true,
    withTypedArray: true,
    withBigInt: true,
    withNullPrototype: true,
    withSparseArray: true,
  }),
  fc
    .constantFrom<(() => unknown)[]>(
      () => () => 1,
      () => Symbol('s'),
      () => Promise.resolve(1),
      () => new Proxy({}, {}),
      () => ({ deep: [new WeakMap()] }),
      () => Object.assign([1], { extra: () => 1 }),
    )
    .map((make) => make()),
)

const { thrown: anyThrown } = fc.letrec<{ thrown: unknown; error: unknown }>((tie) => ({
  thrown: fc.oneof({ depthSize: 'small' }, anyValue, tie('error')),
  error: fc
    .record({
      type: fc.constantFrom<ErrorConstructor[]>(
        Error,
        TypeError,
        QuotaError as never,
        class extends RangeError {} as never,
      ),
      message: fc.string(),
      cause: fc.option(tie('thrown'), { nil: undefined }),
      properties: fc.dictionary(fc.oneof(fc.constantFrom('code', 'errors', '__proto__'), fc.string()), tie('thrown'), {
        maxKeys: 3,
      }),
      name: fc.option(fc.string(), { nil: undefined }),
      errors: fc.option(fc.array(tie('thrown'), { maxLength: 3 })),
    })
    .map(({ type, message, cause, properties, name, errors }) => {
      const error = errors ? new AggregateError(errors, message) : Object.assign(new type(''), { message })
      if (cause !== undefined) error.cause = cause
      if (name !== undefined) error.name = name
      for (const [key, value] of Object.entries(properties)) {
        Object.defineProperty(error, key, { value, enumerable: true, configurable: true, writable: true })
      }
      return error
    }),
}))

test('an error that does not let itself be looked at takes nothing from those after it', () => {
  const trapped = new Proxy(new Error('trapped', { cause: new Error('inside') }), {
    ownKeys() {
      throw new Error('no listing')
    },
  })
  const twice = new RangeError('twice')
  const error = arrive(Object.assign(new Error('outer'), { trapped, first: twice, second: twice }))
  ok(error['first'] instanceof RangeError)
  equal(error['second'], error['first'])
})

test('whatever is thrown, an error with the same message arrives, or a value', () => {
  fc.assert(
    fc.property(anyThrown, (thrown) => {
      const arrived = travel(thrown)
      if (!(thrown instanceof Error)) return
      ok(arrived instanceof Error)
      equal(arrived.message, thrown.message)
      equal(arrived.stack, thrown.stack)
      // Once more makes no difference, as when an error goes on to another host.
      const again = travel(arrived) as Error
      deepEqual([again.name, again.message, again.stack], [arrived.name, arrived.message, arrived.stack])
      deepEqual(Object.keys(again), Object.keys(arrived))
    }),
    { numRuns: 1_000 },
  )
})
