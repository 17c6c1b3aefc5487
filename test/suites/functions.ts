import assert from 'node:assert/strict'
import { test } from 'node:test'
import { errorOf, factsOf, refused } from './answers.ts'
import type { Suite } from './place.ts'

export function functionRules(suite: Suite): void {
  const shared = suite.shared()

  /** Asserts that there is no function of this name, and that the message says which ones there are. */
  async function isNoFunction(name: string): Promise<void> {
    const { runner } = shared
    await runner.ready()
    const before = (await runner.stats()).total.admitted
    const errors = await Promise.all([
      refused(runner.start(name as 'add', [1, 2]), 'FUNCTION_NOT_FOUND'),
      refused(runner.call(name as 'add', [1, 2]), 'FUNCTION_NOT_FOUND'),
    ])
    if (suite.capabilities.knowsFunctions) {
      const unawaited = runner.start(name as 'add', [1, 2], { timeout: 0, retain: 600_000 })
      errors.push(await refused(unawaited, 'FUNCTION_NOT_FOUND'))
    }
    for (const error of errors) {
      assert.deepEqual(factsOf(error), { fn: name, started: 'no', retryable: false })
      assert.ok(error.message.includes(`"${name}"`), error.message)
      assert.match(error.message, /add, addLater/)
    }
    assert.equal((await runner.stats()).total.admitted, before)
    assert.deepEqual(await runner.list(), { calls: [] })
  }

  test('a name that is not exported is no function', () => isNoFunction('subtract'))

  test('names are told apart by case', () => isNoFunction('ADD'))

  test('the default export is no function', () => isNoFunction('default'))

  test('an export that is no function is none', () => isNoFunction('version'))

  test('what is inside an exported object is none', async () => {
    await isNoFunction('settings')
    await isNoFunction('settings.nested')
  })

  test('what objects inherit is none', async () => {
    await isNoFunction('toString')
    await isNoFunction('constructor')
    await isNoFunction('__proto__')
    await isNoFunction('hasOwnProperty')
  })

  test('the empty name is none', () => isNoFunction(''))

  test('what the module keeps to itself is none', () => isNoFunction('trap'))

  test('an unknown function is refused as well before it is known which ones there are', async (t) => {
    const { runner } = await suite.setUp(t)
    const errors = await Promise.all([
      refused(runner.start('subtract' as 'add', [1, 2]), 'FUNCTION_NOT_FOUND'),
      refused(runner.call('subtract' as 'add', [1, 2]), 'FUNCTION_NOT_FOUND'),
    ])
    for (const error of errors) {
      assert.equal(error.started, 'no')
      assert.match(error.message, /add, addLater/)
    }
    assert.deepEqual(await runner.list(), { calls: [] })
  })

  test('an unknown function that was admitted before it was known which there are ends with that', async (t) => {
    const { runner } = await suite.setUp(t, { isFresh: true })
    const started = await runner.start('subtract' as 'add', [1, 2], { timeout: 0 })
    assert.ok(!started.finished)
    const error = errorOf(await runner.wait(started.id), 'FUNCTION_NOT_FOUND')
    assert.equal(error.started, 'no')
  })

  test('synchronous and asynchronous functions are called alike', async () => {
    const { runner } = shared
    assert.equal(await runner.call('add', [1, 2]), 3)
    assert.equal(await runner.call('addLater', [1, 2]), 3)
  })

  test('a thenable that is no promise is awaited, and only its first answer counts', async () => {
    const { runner } = shared
    assert.equal(await runner.call('thenable', []), 'first')
  })

  test('a promise that was given a `then` of its own is awaited as a promise, and harms no other call', async () => {
    const { runner } = shared
    assert.equal(await runner.call('promiseWithThen', []), 'its value')
    assert.equal(await runner.call('add', [1, 2]), 3)
  })
}
