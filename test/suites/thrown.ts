import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CallError } from '../../src/index.ts'
import type { ErrorKind } from '../fixtures/calls.ts'
import { errorOf, factsOf, thrownBy } from './answers.ts'
import type { Suite } from './place.ts'

export function thrownRules(suite: Suite): void {
  const shared = suite.shared()

  /** What `call` throws for a function that throws this. */
  async function thrown<E = Error>(kind: ErrorKind): Promise<E> {
    return (await thrownBy(shared.runner.call('fail', [kind]))) as E
  }

  test('call throws what the function threw', async () => {
    for (const kind of ['builtIn', 'quota', 'aggregate'] as const) {
      const error = await thrown(kind)
      assert.ok(error instanceof Error && !(error instanceof CallError))
    }
    const later = await thrownBy(shared.runner.call('failLater', ['builtIn']))
    assert.ok(later instanceof RangeError)
  })

  test('start tells it as the cause of a FUNCTION_THREW', async () => {
    const { runner } = shared
    for (const fn of ['fail', 'failLater'] as const) {
      const error = errorOf(await runner.start(fn, ['builtIn']), 'FUNCTION_THREW')
      assert.deepEqual(factsOf(error), { fn, started: 'yes', retryable: false })
      assert.match(error.message, /RangeError: out of range/)
      assert.ok(error.cause instanceof RangeError)
      assert.equal(error.cause.message, 'out of range')
    }
  })

  test('an error of a built-in class is one of that class', async () => {
    const error = await thrown('builtIn')
    assert.ok(error instanceof RangeError)
    assert.equal(error.name, 'RangeError')
    assert.equal(error.message, 'out of range')
    assert.deepEqual(Object.keys(error), [])
  })

  test('an error of a class of its own keeps the name of the class, its message and its properties', async () => {
    const error = await thrown('quota')
    assert.ok(error instanceof Error)
    assert.equal(error.name, 'QuotaError')
    assert.equal(error.message, 'too much')
    const properties = { code: 'E_QUOTA', limit: 10n, usedBy: [new Date(0), { name: 'somebody' }] }
    assert.deepEqual({ ...error }, properties)
  })

  test('an error that gave itself a name goes by it', async () => {
    assert.equal((await thrown('named')).name, 'ANameOfItsOwn')
  })

  test('an error of a class below a built-in one keeps the name of the class', async () => {
    const error = await thrown('subclass')
    assert.ok(error instanceof Error)
    assert.equal(error.name, 'UpstreamError')
    assert.equal(error.message, 'a class below a built-in one')
  })

  test('causes arrive, however deep', async () => {
    const outer = await thrown('nested')
    assert.equal(outer.name, 'QuotaError')
    const middle = outer.cause
    assert.ok(middle instanceof TypeError)
    assert.equal(middle.message, 'middle')
    const inner = middle.cause
    assert.ok(inner instanceof Error)
    assert.equal(inner.name, 'ANameOfItsOwn')
    assert.equal(inner.message, 'inner')
    assert.equal(inner.cause, undefined)
  })

  test('a cause that is no error arrives', async () => {
    assert.deepEqual((await thrown('causedByValue')).cause, { status: 503 })
  })

  test('an AggregateError arrives with its errors', async () => {
    const error = await thrown<AggregateError>('aggregate')
    assert.ok(error instanceof AggregateError)
    assert.equal(error.name, 'AggregateError')
    assert.equal(error.message, 'all of them')
    const [one, two, three] = error.errors as [Error & { code: string }, unknown, unknown]
    assert.equal(error.errors.length, 3)
    assert.deepEqual([one.name, one.message, one.code], ['QuotaError', 'one', 'E_QUOTA'])
    assert.equal(two, 'two')
    assert.ok(three instanceof RangeError)
  })

  test('what Promise.any rejects with arrives', async () => {
    const error = await thrownBy(shared.runner.call('failWithAny', []))
    assert.ok(error instanceof AggregateError)
    const names = error.errors.map((each) => [(each as Error).name, (each as Error).message])
    assert.deepEqual(names, [
      ['RangeError', 'first'],
      ['TypeError', 'second'],
    ])
  })

  test('a DOMException arrives by its name, and with its code', async () => {
    const error = await thrown<DOMException>('abortError')
    assert.ok(error instanceof Error)
    assert.equal(error.name, 'AbortError')
    assert.equal(error.message, 'gave up')
    assert.equal(error.code, DOMException.ABORT_ERR)
  })

  test('a code that a class has as a getter arrives', async () => {
    assert.equal((await thrown<Error & { code: string }>('prototypeCode')).code, 'E_PROTOTYPE')
  })

  test('the remote stack stands above the local one', async () => {
    const stack = String((await thrown('builtIn')).stack)
    assert.ok(stack.startsWith('RangeError: out of range\n'), stack)
    const remote = stack.search(/at fail .*calls\.ts/)
    const local = stack.indexOf('thrown.ts')
    assert.ok(remote > 0, stack)
    assert.ok(local > remote, stack)
  })

  test('the stack of a status is the remote one', async () => {
    const error = errorOf(await shared.runner.start('fail', ['nested']), 'FUNCTION_THREW')
    const cause = error.cause as Error
    assert.match(String(cause.stack), /at fail .*calls\.ts/)
    assert.match(String((cause.cause as Error).stack), /calls\.ts/)
  })

  test('an error that is its own cause arrives', async () => {
    const error = await thrown('ownCause')
    assert.equal(error.message, 'its own cause')
    assert.equal((error.cause as Error).message, 'its own cause')
  })

  test('an error that is in its own properties arrives, and holds nobody up', async () => {
    const call = shared.runner.call('fail', ['ownParts'], { abortAfter: 10_000, grace: 0 })
    const error = (await thrownBy(call)) as Error & { previous: Error; request: { error: Error } }
    assert.equal(error.message, 'all its own')
    assert.equal(error.previous.message, 'all its own')
    assert.equal(error.request.error.message, 'all its own')
  })

  test('a property that cannot travel takes none of the others with it', async () => {
    const error = await thrown<Error & { retry: unknown; attempt: number }>('uncloneableParts')
    assert.equal(error.message, 'with a function')
    assert.equal(error.attempt, 2)
    assert.match(String(error.retry), /Function/)
  })

  test('a property that throws when it is read does not hide the error', async () => {
    const error = await thrown('throwingPart')
    assert.ok(error instanceof Error)
    assert.equal(error.message, 'with a trap')
  })

  test('values that are no errors are thrown as they are', async () => {
    const { runner } = shared
    const values = [
      'a string',
      '',
      0,
      5n,
      false,
      null,
      undefined,
      { status: 404 },
      [1],
      new Map([['a', 1]]),
      new Date(0),
    ]
    for (const value of values) {
      assert.deepEqual(await thrownBy(runner.call('throwValue', [value])), value)
      const error = errorOf(await runner.start('throwValue', [value]), 'FUNCTION_THREW')
      assert.deepEqual(error.cause, value)
      assert.ok('cause' in error)
    }
  })

  test('a thrown string is in the message', async () => {
    const error = errorOf(await shared.runner.start('throwValue', ['out of paper']), 'FUNCTION_THREW')
    assert.match(error.message, /"throwValue" threw out of paper/)
  })

  test('a thrown value that cannot travel arrives as its picture', async () => {
    assert.equal(await thrownBy(shared.runner.call('throwSymbol', [])), 'Symbol(a symbol)')
  })

  test('each wait is told of the same error', async (t) => {
    const { runner } = await suite.setUp(t)
    const status = await runner.start('fail', ['quota'], { retain: 600_000 })
    assert.ok(status.id !== undefined)
    for (const answer of await Promise.all([runner.wait(status.id), runner.wait(status.id)])) {
      const cause = errorOf(answer, 'FUNCTION_THREW').cause as Error & { code: string }
      assert.deepEqual([cause.name, cause.message, cause.code], ['QuotaError', 'too much', 'E_QUOTA'])
    }
  })
}
