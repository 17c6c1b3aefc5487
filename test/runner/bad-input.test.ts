import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { inspect } from 'node:util'
import { createRunner, type Runner } from '../../src/index.ts'
import { assertError, NOT_NUMBERS, NOT_OBJECTS, NOT_OPTIONS, NOT_SPANS, type ErrorKind } from '../helpers/wrong.ts'
import { CALLS, type Calls } from '../suites/place.ts'

describe('a runner refuses', () => {
  let runner: Runner<Calls>
  before(async () => {
    runner = createRunner<Calls>({ functions: CALLS, threads: { max: 1 } })
    await runner.ready()
  })
  after(() => runner.close())

  /** Asserts that the request rejects, that the error says each of `parts`, and that the runner is as it was. */
  async function refuses(request: () => unknown, kind: ErrorKind, ...parts: string[]): Promise<void> {
    const admitted = runner.stats().total.admitted
    const [answer] = await Promise.allSettled([new Promise((resolve) => resolve(request()))])
    assert.equal(runner.stats().total.admitted, admitted, 'admitted a call')
    assert.equal(answer.status, 'rejected', `took ${String(request)}`)
    assertError((answer as PromiseRejectedResult).reason, kind, parts)
    assert.deepEqual(await runner.list(), { calls: [] })
    assert.equal(runner.stats().waits, 0)
  }

  const start = (options: unknown) => () => runner.start('add', [1, 2], options as object)
  const call = (options: unknown) => () => runner.call('add', [1, 2], options as object)
  const wait = (options: unknown) => () => runner.wait('id', options as object)
  const cancel = (options: unknown) => () => runner.cancel('id', options as object)
  const list = (options: unknown) => () => runner.list(options as object)
  const close = (options: unknown) => () => runner.close(options as object)
  const methods = { start, call, wait, cancel, list, close }

  /** Asserts that the option takes milliseconds, 0 or more. */
  async function takesSpan(name: string, ...requests: ((options: unknown) => () => unknown)[]): Promise<void> {
    for (const request of requests) {
      for (const wrong of NOT_NUMBERS) {
        await refuses(request({ [name]: wrong }), TypeError, `${name} must be a number of milliseconds, got`)
      }
      for (const wrong of NOT_SPANS) {
        const right = `${name} must be 0 or more milliseconds, or Infinity; got ${wrong}`
        await refuses(request({ [name]: wrong }), RangeError, right)
      }
    }
  }

  test('functions that it does not have, and names those that it has', async () => {
    for (const wrong of ['subtract', '', 'default', 'version', 'toString']) {
      const known = 'exports about, aboutSync, add, addLater'
      const fn = wrong as 'add'
      await refuses(() => runner.start(fn, [1, 2]), 'FUNCTION_NOT_FOUND', `no function "${wrong}"`, known)
      await refuses(() => runner.call(fn, [1, 2]), 'FUNCTION_NOT_FOUND', `no function "${wrong}"`, known)
    }
  })

  test('names of functions that are no strings', async () => {
    for (const wrong of [undefined, null, 5, {}, ['add'], () => 1, Symbol('add')]) {
      const fn = wrong as unknown as 'add'
      await refuses(() => runner.start(fn, [1, 2]), TypeError, 'fn must be the name of a function, got')
      await refuses(() => runner.call(fn, [1, 2]), TypeError, 'fn must be the name of a function, got')
    }
  })

  test('arguments that are no array', async () => {
    const notArrays = [
      undefined,
      null,
      'ab',
      5,
      {},
      { 0: 1, length: 1 },
      new Set([1]),
      new Uint8Array(2),
      (a: unknown) => a,
    ]
    for (const wrong of notArrays) {
      const args = wrong as unknown as [number, number]
      const right = "args must be an array of positional arguments, such as ['a', 1]; got"
      await refuses(() => runner.start('add', args), TypeError, right)
      await refuses(() => runner.call('add', args), TypeError, right)
    }
  })

  test('arguments that cannot be cloned, by where they sit', async () => {
    const path = 'args[0].user.save is the function save'
    const args = [{ user: { save: function save() {} } }] as const
    await refuses(() => runner.start('echo', args), 'NOT_CLONEABLE', path, 'cannot travel')
    const options = { timeout: 0, retain: 5, idempotencyKey: 'key' }
    await refuses(() => runner.start('echo', args, options), 'NOT_CLONEABLE', path)
    await refuses(() => runner.call('echo', args), 'NOT_CLONEABLE', path)
  })

  test('options that are no object', async () => {
    for (const [name, request] of Object.entries(methods)) {
      for (const wrong of NOT_OBJECTS) {
        await refuses(request(wrong), TypeError, `${name} options must be an object, got`)
      }
    }
  })

  test('objects of another kind in the place of options', async () => {
    for (const [name, request] of Object.entries(methods)) {
      for (const wrong of NOT_OPTIONS) await refuses(request(wrong), TypeError, `${name} options must be an object`)
    }
  })

  test('an option that is not known, and names those that are', async () => {
    await refuses(start({ timout: 5 }), TypeError, 'start options has no option "timout"', 'timeout, retain')
    await refuses(call({ timeout: 5 }), TypeError, 'call options has no option "timeout"', 'abortAfter, grace')
    await refuses(call({ idempotencyKey: 'key' }), TypeError, 'call options has no option "idempotencyKey"')
    await refuses(wait({ abortAfter: 5 }), TypeError, 'wait options has no option "abortAfter"', 'timeout, signal')
    await refuses(cancel({ timeout: 5 }), TypeError, 'cancel options has no option "timeout"', 'reason, grace')
    await refuses(list({ offset: 5 }), TypeError, 'list options has no option "offset"', 'state, fn, limit, cursor')
    await refuses(close({ force: true }), TypeError, 'close options has no option "force"', 'abort, grace')
  })

  test('spans of time that are wrong', async () => {
    await takesSpan('timeout', start, wait)
    await takesSpan('retain', start)
    await takesSpan('grace', start, call, cancel, close)
    await takesSpan('abortAfter', start, call)
  })

  test('an abortAfter of 0, which leaves no time to run', async () => {
    const right = 'abortAfter must be more than 0 milliseconds; leave it out for no limit'
    await refuses(start({ abortAfter: 0 }), RangeError, right)
    await refuses(call({ abortAfter: 0 }), RangeError, right)
  })

  test('priorities that are none', async () => {
    for (const request of [start, call]) {
      for (const wrong of NOT_NUMBERS) {
        await refuses(request({ priority: wrong }), TypeError, 'priority must be a whole number, got')
      }
      for (const wrong of [-101, 101, 0.5, NaN, Infinity, -Infinity]) {
        const right = `priority must be a whole number from -100 to 100, got ${wrong}`
        await refuses(request({ priority: wrong }), RangeError, right)
      }
    }
  })

  test('signals that are none', async () => {
    const notSignals = [null, 5, 'SIGTERM', {}, { aborted: false, addEventListener() {} }, new AbortController()]
    for (const request of [start, call, wait]) {
      for (const signal of notSignals)
        await refuses(request({ signal }), TypeError, 'signal must be an AbortSignal, got')
    }
  })

  test('transfer that is no list', async () => {
    for (const transfer of [null, 5, 'buffer', {}, new ArrayBuffer(1), new Set()]) {
      await refuses(start({ transfer }), TypeError, 'transfer must be an array')
      await refuses(call({ transfer }), TypeError, 'transfer must be an array')
    }
  })

  test('what cannot be transferred, by its place in the list', async () => {
    const buffer = new ArrayBuffer(8)
    const wrong = [null, 5, 'text', {}, [], new Date(), new Map(), () => 1, new SharedArrayBuffer(8)]
    for (const item of wrong) await refuses(call({ transfer: [buffer, item] }), TypeError, 'transfer[1] must be')
    const view = new Uint8Array(buffer)
    await refuses(call({ transfer: [view] }), TypeError, 'transfer[0] must be', '.buffer')
    await refuses(call({ transfer: [buffer, buffer] }), TypeError, 'transfer[1] is in the list twice')
    assert.equal(buffer.detached, false)
  })

  test('what was transferred before', async () => {
    const buffer = new ArrayBuffer(8)
    structuredClone(buffer, { transfer: [buffer] })
    await refuses(call({ transfer: [buffer] }), TypeError, 'transfer[0] was transferred before')
  })

  test('a port that was transferred before, which only the platform sees', async () => {})

  test('idempotency keys that are none', async () => {
    for (const idempotencyKey of ['', null, 5, {}, true, Symbol('key')]) {
      const right = 'idempotencyKey must be a string that is not empty, got'
      await refuses(start({ idempotencyKey }), TypeError, right)
    }
  })

  test('IDs that are no strings', async () => {
    for (const wrong of [undefined, null, 5, {}, ['id'], Symbol('id')]) {
      const id = wrong as unknown as string
      for (const request of [() => runner.wait(id), () => runner.cancel(id), () => runner.forget(id)]) {
        await refuses(request, TypeError, 'id must be a call ID, a string; got')
      }
    }
  })

  test('strings that are no IDs', async () => {
    for (const id of ['', 'id', '1:2:3', '1:2:3.0:abc', `1:2:3.0:${'g'.repeat(40)}`, `-1:2:3.0:${'a'.repeat(40)}`]) {
      const right = 'an ID is what `start` gave as `id`, ppid:cpid:time:random'
      await refuses(() => runner.wait(id), 'CALL_UNKNOWN', 'not a call ID', right)
      await refuses(() => runner.cancel(id), 'CALL_UNKNOWN', 'not a call ID', right)
      await refuses(() => runner.forget(id), 'CALL_UNKNOWN', 'not a call ID', right)
    }
  })

  test('states that are none', async () => {
    for (const state of ['done', '', 'Queued', null, 5, ['queued']]) {
      await refuses(list({ state }), TypeError, 'state must be one of queued, running, finished; got')
    }
  })

  test('a function to list that is no string', async () => {
    for (const fn of ['', null, 5, ['add'], () => 1]) {
      await refuses(list({ fn }), TypeError, 'fn must be a string that is not empty, got')
    }
  })

  test('limits of a page that are wrong', async () => {
    for (const limit of NOT_NUMBERS) await refuses(list({ limit }), TypeError, 'limit must be a whole number, got')
    for (const limit of [0, -1, 1.5, 10_001, NaN, Infinity]) {
      await refuses(list({ limit }), RangeError, `limit must be a whole number from 1 to 10000, got ${limit}`)
    }
  })

  test('cursors that no page ended with', async () => {
    for (const cursor of ['', 'garbage', '-1', '1.5', '1e3', ' 1', '9'.repeat(16), null, 5, {}]) {
      await refuses(list({ cursor }), TypeError, 'cursor must be the cursor of the page before, got')
    }
  })

  test('events that there are not, and names those that there are', async () => {
    const names = 'queued, started, progress, finished, expired, drain, idle'
    for (const wrong of ['finish', '', 'toString', null, 5, Symbol('finished')]) {
      const event = wrong as 'finished'
      for (const request of [
        () => runner.on(event, () => undefined),
        () => runner.once(event, () => undefined),
        () => runner.off(event, () => undefined),
      ]) {
        await refuses(request, TypeError, 'there is no event', names)
      }
    }
  })

  test('listeners that are no functions', async () => {
    for (const wrong of [undefined, null, 'log', 5, {}, { handleEvent() {} }]) {
      const listener = wrong as unknown as () => void
      for (const request of [
        () => runner.on('finished', listener),
        () => runner.once('idle', listener),
        () => runner.off('drain', listener),
      ]) {
        await refuses(request, TypeError, 'listener must be a function, got')
      }
    }
  })

  test('an abort of close that is neither true nor false, and stays open', async () => {
    for (const abort of ['yes', 1, 0, null, {}]) {
      await refuses(close({ abort }), TypeError, 'abort must be true or false, got')
    }
    assert.equal(await runner.call('add', [1, 2]), 3)
  })

  test('arguments that cannot be read, at once or later', async () => {
    const throwingAt = (reads: number): unknown[] => {
      let left = reads
      return Object.defineProperty([0], 0, {
        enumerable: true,
        get() {
          left -= 1
          if (left < 0) throw new Error('no reading')
          return { a: 1 }
        },
      })
    }
    await refuses(() => runner.start('add', throwingAt(0) as [number, number]), 'NOT_CLONEABLE', 'args cannot be read')
    // It is read once.
    const status = await runner.start('countArgs', throwingAt(1))
    assert.ok(status.finished && status.ok)
    assert.equal(status.value, 1)
  })

  test('options that cannot be shown', async () => {
    const hidden = {
      [inspect.custom](): never {
        throw new Error('no looking')
      },
    }
    await refuses(start({ timeout: hidden }), TypeError, 'timeout must be a number', 'a value that cannot be shown')
  })
})
