import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UncloneableKind } from '../fixtures/calls.ts'
import { begin, end, errorOf, factsOf, refused, valueOf } from './answers.ts'
import type { Suite } from './place.ts'

export function uncloneableRules(suite: Suite): void {
  const shared = suite.shared({ atOnce: 1 })

  /** Asserts that a call with these arguments is refused, that the message says why, and that nothing was admitted. */
  async function refusesArgs(args: unknown[], why: string): Promise<void> {
    const { runner } = shared
    const before = (await runner.stats()).total.admitted
    const error = await refused(runner.start('countArgs', args), 'NOT_CLONEABLE')
    assert.ok(error.message.includes(why), `"${why}" is in "${error.message}"`)
    assert.deepEqual(factsOf(error), { fn: 'countArgs', started: 'no', retryable: false })
    await refused(runner.start('countArgs', args, { timeout: 0 }), 'NOT_CLONEABLE')
    await refused(runner.call('countArgs', args), 'NOT_CLONEABLE')
    assert.equal((await runner.stats()).total.admitted, before)
    assert.deepEqual(await runner.list(), { calls: [] })
  }

  test('an argument that is a function is refused', () => refusesArgs([1, () => 2], 'args[1] is a function'))

  test('a method inside an argument is refused, by its name and where it sits', () =>
    refusesArgs([{ user: { save: function save() {} } }], 'args[0].user.save is the function save'))

  test('a symbol in an array is refused', () => refusesArgs([0, [[1], [Symbol('s')]]], 'args[1][1][0] is a symbol'))

  test('a part whose name is no identifier is named in quotes', () =>
    refusesArgs([{ 'on load': [Symbol('s')] }], 'args[0]["on load"][0]'))

  test('the values of maps and sets are looked at', async () => {
    await refusesArgs([new Map([['key', () => 1]])], 'args[0].values()[0]')
    await refusesArgs([new Map([[() => 1, 'value']])], 'args[0].keys()[0]')
    await refusesArgs([new Set([1, Symbol('s')])], 'args[0].values()[1]')
  })

  test('what the platform does not clone is refused by its class', async () => {
    await refusesArgs([{ cache: new WeakMap() }], 'args[0].cache is a WeakMap')
    await refusesArgs([[Promise.resolve()]], 'args[0][0] is a Promise')
    await refusesArgs([{ view: new Proxy({}, {}) }], 'args[0].view is a Proxy')
    await refusesArgs([{ port: new MessageChannel().port1 }], 'args[0].port is a MessagePort')
  })

  test('the cause of an error that is an argument is looked at', () =>
    refusesArgs([new Error('outer', { cause: { retry: () => 1 } })], 'args[0].cause.retry'))

  test('an argument that is nested too deeply is refused', async () => {
    let deep: unknown = 'bottom'
    for (let i = 0; i < 100_000; i++) deep = { deep }
    await refusesArgs([deep], 'nested too deeply')
  })

  test('an argument with a getter that throws is refused, by where the getter sits', () =>
    refusesArgs(
      [
        {
          ok: 1,
          get broken(): never {
            throw new Error('the trap')
          },
        },
      ],
      'args[0].broken',
    ))

  /** Asserts that a call that ends with such a value fails, that the message says why, and that others can run. */
  async function failsWith(kind: UncloneableKind, why: string): Promise<void> {
    const { runner } = shared
    const status = await runner.start('returnUncloneable', [kind])
    const error = errorOf(status, 'NOT_CLONEABLE')
    assert.ok(error.message.includes(why), `"${why}" is in "${error.message}"`)
    assert.deepEqual(factsOf(error), { fn: 'returnUncloneable', started: 'yes', retryable: false })
    const later = await refused(runner.call('resolveUncloneable', [kind]), 'NOT_CLONEABLE')
    const whyLater = why.replace('result', 'result.value')
    assert.ok(later.message.includes(whyLater), `"${whyLater}" is in "${later.message}"`)
    assert.equal(later.started, 'yes')
    assert.equal(await runner.call('add', [1, 2]), 3)
  }

  test('a result that is a function fails its call', () => failsWith('function', 'result is a function'))

  test('a method inside a result fails its call, by where it sits', () =>
    failsWith('method', 'result.items[1].save is the function save'))

  test('a symbol inside a result fails its call', () => failsWith('symbol', 'result.values()[0].mark is a symbol'))

  test('a WeakMap inside a result fails its call', () => failsWith('weakMap', 'result.cache is a WeakMap'))

  test('a part of a result whose name is no identifier is named in quotes', () =>
    failsWith('oddName', 'result["not a name"][0] is a function'))

  test('a Proxy inside a result fails its call', () => failsWith('proxy', 'result.view is a Proxy'))

  test('a result with a getter that throws fails its call, and harms nobody else', () =>
    failsWith('getter', 'result.broken'))

  test('a result that is a Proxy whose traps throw fails its call, and harms nobody else', async () => {
    const { runner } = shared
    const status = await runner.start('resolveUncloneable', ['trappedProxy'])
    assert.match(errorOf(status, 'NOT_CLONEABLE').message, /result\.value is a Proxy/)
    const direct = await runner.start('returnUncloneable', ['trappedProxy'])
    assert.ok(direct.finished && !direct.ok)
    assert.ok(['NOT_CLONEABLE', 'FUNCTION_THREW'].includes(direct.error.code), direct.error.code)
  })

  test('calls whose results travel with one that cannot have their values', async () => {
    const { runner } = shared
    const calls = Array.from({ length: suite.many(60) }, (_, i) =>
      i % 10 === 5
        ? runner.start('returnUncloneable', ['method'], { timeout: Infinity })
        : runner.start('echo', [i], { timeout: Infinity }),
    )
    for (const [i, status] of (await Promise.all(calls)).entries()) {
      if (i % 10 === 5) errorOf(status, 'NOT_CLONEABLE')
      else assert.equal(valueOf(status), i)
    }
  })

  test('a call whose result cannot travel is kept as any other', async (t) => {
    const { runner } = await suite.setUp(t)
    const id = await begin(runner, 'returnUncloneable', ['function'])
    const error = errorOf(await end(runner, id), 'NOT_CLONEABLE')
    assert.equal(error.id, id)
    errorOf(await runner.wait(id), 'NOT_CLONEABLE')
  })
}
