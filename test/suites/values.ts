import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refused, valueOf } from './answers.ts'
import type { Suite } from './place.ts'

export function valueRules(suite: Suite): void {
  const shared = suite.shared()

  /** Sends the value to a function and back. */
  async function echo<T>(value: T): Promise<T> {
    return (await shared.runner.call('echo', [value])) as T
  }

  test('primitives arrive as they are', async () => {
    const values = [
      '',
      'text',
      '\u{1F9E5} \0 \ud800',
      0,
      -0,
      1.5,
      NaN,
      Infinity,
      -Infinity,
      true,
      false,
      null,
      undefined,
    ]
    assert.deepEqual(await echo(values), values)
    for (const value of values) assert.deepEqual(await echo(value), value)
  })

  test('BigInt arrives, whatever its size', async () => {
    const values = [0n, -1n, 2n ** 64n, -(10n ** 100n)]
    assert.deepEqual(await echo(values), values)
    assert.equal(await echo(2n ** 200n), 2n ** 200n)
  })

  test('dates, regular expressions, maps and sets arrive as what they are', async () => {
    const { runner } = shared
    const values = [
      new Date(1_234_567_890_123),
      /a+b/giu,
      new Map<unknown, unknown>([
        ['key', new Set([1, 'two'])],
        [{ a: 1 }, new Map()],
      ]),
      new Set([new Date(0)]),
    ]
    assert.deepEqual(await echo(values), values)
    assert.deepEqual(await runner.call('kinds', [values]), ['Date', 'RegExp', 'Map', 'Set'])
    assert.ok(Number.isNaN((await echo(new Date(NaN))).getTime()))
  })

  test('buffers and typed arrays arrive as what they are', async () => {
    const { runner } = shared
    const values = [
      new Uint8Array([1, 2, 255]),
      new Float64Array([0.1, NaN, -0]),
      new BigInt64Array([-1n]),
      new Uint8Array([1, 2, 3, 4]).buffer,
      new DataView(new Uint8Array([1, 2, 3]).buffer, 1, 1),
      new Uint8Array(0),
    ]
    assert.deepEqual(await echo(values), values)
    const names = ['Uint8Array', 'Float64Array', 'BigInt64Array', 'ArrayBuffer', 'DataView', 'Uint8Array']
    assert.deepEqual(await runner.call('kinds', [values]), names)
  })

  test('the bytes of a Buffer arrive', async () => {
    const arrived = await echo(Buffer.from('some text'))
    assert.ok(arrived instanceof Uint8Array)
    assert.equal(Buffer.from(arrived).toString(), 'some text')
  })

  test('errors arrive as errors where they are values', async () => {
    const error = new RangeError('a value', { cause: new TypeError('inner') })
    const arrived = await echo(error)
    assert.ok(arrived instanceof RangeError)
    assert.equal(arrived.message, 'a value')
    assert.ok(arrived.cause instanceof TypeError)
  })

  test('nested objects and arrays arrive, with holes and properties that are undefined', async () => {
    const sparse: unknown[] = []
    sparse[3] = 'last'
    const value = { list: [[{ deep: { deeper: [] } }]], sparse, nothing: undefined, 'odd key': 1, ['__proto__']: null }
    const arrived = await echo(value)
    assert.deepEqual(arrived, value)
    assert.ok('nothing' in arrived)
    assert.deepEqual(Object.keys(arrived.sparse), ['3'])
  })

  test('cycles, and one object at two places, stay so', async () => {
    interface Node {
      self?: Node
      twice?: [object, object]
      map?: Map<Node, Node>
    }
    const node: Node = {}
    const twin = { name: 'twin' }
    node.self = node
    node.twice = [twin, twin]
    node.map = new Map([[node, node]])
    const arrived = await echo(node)
    assert.equal(arrived.self, arrived)
    assert.equal(arrived.twice?.[0], arrived.twice?.[1])
    assert.equal(arrived.map?.get(arrived), arrived)
  })

  test('an instance of a class arrives as a plain object', async () => {
    class Point {
      x = 1
      #hidden = 2
      get sum(): number {
        return this.x + this.#hidden
      }
    }
    assert.deepEqual(await echo(new Point()), { x: 1 })
  })

  test('large values arrive', async () => {
    const text = 'x'.repeat(5_000_000)
    const list = Array.from({ length: 20_000 }, (_, i) => ({ i }))
    assert.equal((await echo(text)).length, 5_000_000)
    assert.deepEqual(await echo(list), list)
  })

  test('arguments that take long to unpack hold their call up no longer than that', async (t) => {
    const { runner } = await suite.setUp(t, { atOnce: 1 })
    const list = Array.from({ length: 300_000 }, (_, i) => ({ i }))
    const status = await runner.start('countArgs', [list], { timeout: 30_000 })
    assert.equal(valueOf(status), 1)
  })

  test('a function gets as many arguments as it was given', async () => {
    const { runner } = shared
    assert.equal(await runner.call('countArgs', []), 0)
    assert.equal(await runner.call('countArgs', [undefined]), 1)
    assert.equal(await runner.call('countArgs', [undefined, null, undefined]), 3)
    assert.equal(await runner.call('countArgs', new Array(3)), 3)
    assert.equal(
      await runner.call(
        'countArgs',
        Array.from({ length: 5_000 }, () => 1),
      ),
      5_000,
    )
  })

  test('a value of undefined is told as one', async () => {
    const { runner } = shared
    assert.deepEqual(await runner.start('echo', [undefined]), { finished: true, ok: true, value: undefined })
    assert.equal(await echo(undefined), undefined)
  })

  test('the caller and the function have each their own copy', async () => {
    const value = { list: [1, 2, 3] }
    const arrived = await echo(value)
    assert.deepEqual(arrived, value)
    assert.notEqual(arrived, value)
    assert.notEqual(arrived.list, value.list)
  })

  test('what is waited for twice is one value, told twice', async () => {
    const { runner } = shared
    const status = await runner.start('echo', [new Map([['a', 1n]])], { retain: 600_000 })
    assert.ok(status.finished && status.id !== undefined)
    assert.deepEqual(await runner.wait(status.id), status)
    await runner.forget(status.id)
  })

  test('without transfer the caller keeps its buffers', async () => {
    const bytes = new Uint8Array([1, 2, 3])
    assert.deepEqual(await echo(bytes), bytes)
    assert.equal(bytes.length, 3)
  })

  test('transfer moves buffers, and a function can move its own', { skip: !suite.capabilities.transfer }, async () => {
    const { runner } = shared
    const bytes = new Uint8Array([1, 2, 3])
    const result = await runner.call('lengthAndBack', [bytes], { transfer: [bytes.buffer] })
    assert.equal(bytes.buffer.detached, true)
    assert.deepEqual(result, { length: 3, bytes: new Uint8Array([1, 2, 3]) })
  })

  test('transfer holds for calls that wait in the queue', { skip: !suite.capabilities.transfer }, async (t) => {
    const { runner, posts } = await suite.setUp(t, { atOnce: 1 })
    const latch = posts.latch()
    const ahead = runner.call('hold', [latch.path])
    const buffers = Array.from({ length: 20 }, (_, i) => new Uint8Array(i + 1))
    const results = buffers.map((bytes) => runner.call('lengthAndBack', [bytes], { transfer: [bytes.buffer] }))
    latch.open()
    await ahead
    for (const [i, result] of results.entries()) assert.equal((await result).length, i + 1)
    assert.ok(buffers.every(({ buffer }) => buffer.detached))
  })

  test(
    'what is done to the list of what is to be moved later changes nothing',
    { skip: !suite.capabilities.transfer },
    async () => {
      const { runner } = shared
      const list: ArrayBuffer[] = []
      const buffers = [1, 2].map((length) => new Uint8Array(length))
      const results = buffers.map((bytes) => {
        list.splice(0, 1, bytes.buffer)
        return runner.call('lengthAndBack', [bytes], { transfer: list })
      })
      list.length = 0
      await Promise.all(results)
      assert.ok(buffers.every(({ buffer }) => buffer.detached))
    },
  )

  test('a call that is refused moves nothing', { skip: !suite.capabilities.transfer }, async () => {
    const { runner } = shared
    const bytes = new Uint8Array([1, 2, 3])
    const uncloneable = [bytes, () => 'cannot travel']
    await refused(runner.call('echo', [uncloneable], { transfer: [bytes.buffer] }), 'NOT_CLONEABLE')
    assert.equal(bytes.length, 3)
  })
}
