import { deepEqual, equal, ok } from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { MessageChannel } from 'node:worker_threads'
import { CallError } from '../../src/index.ts'
import type * as moves from '../fixtures/threads/moves.ts'
import { endOf, runnerOf, within } from '../fixtures/threads/harness.ts'

type Moves = typeof moves

const MOVES = new URL('../fixtures/threads/moves.ts', import.meta.url)

test('a buffer in transfer is moved to the thread', async (t) => {
  const runner = runnerOf<Moves>(t, { functions: MOVES, threads: { max: 1 } })
  const buffer = new ArrayBuffer(1_000)
  equal(await runner.call('fill', [buffer, 1], { transfer: [buffer] }), 1_000)
  ok(buffer.detached)
})

test('a buffer that is not in transfer is copied', async (t) => {
  const runner = runnerOf<Moves>(t, { functions: MOVES, threads: { max: 1 } })
  const buffer = new ArrayBuffer(1_000)
  equal(await runner.call('fill', [buffer, 1]), 1_000)
  ok(!buffer.detached)
  equal(new Uint8Array(buffer)[0], 0)
})

test('a function moves its result with transfer(value, list)', async (t) => {
  const runner = runnerOf<Moves>(t, { functions: MOVES, threads: { max: 1 } })
  const moved = await runner.call('make', [100, true])
  deepEqual(moved, new Uint8Array(100).fill(7))
  equal(await runner.call('wasMoved', []), true)

  const copied = await runner.call('make', [100, false])
  deepEqual(copied, new Uint8Array(100).fill(7))
  equal(await runner.call('wasMoved', []), false)
})

test('an asynchronous function moves a part of its result', async (t) => {
  const runner = runnerOf<Moves>(t, { functions: MOVES, threads: { max: 1 } })
  deepEqual(await runner.call('makeLater', [10]), { bytes: new Uint8Array(10).fill(7), size: 10 })
  equal(await runner.call('wasMoved', []), true)
})

test('results that are moved and travel together arrive each at its own call', async (t) => {
  const runner = runnerOf<Moves>(t, { functions: MOVES, threads: { max: 1 } })
  for (let i = 0; i < 200; i++) await runner.call('makeIf', [false, 1])
  const calls = Array.from({ length: 30 }, (_, i) => endOf(runner.call('makeIf', [i === 11, i + 1])))
  for (const [i, end] of (await within(10_000, Promise.all(calls), 'a call does not end')).entries()) {
    if (i !== 11) deepEqual(end, { value: new Uint8Array(i + 1).fill(i + 1) })
    else {
      ok('error' in end && end.error instanceof CallError)
      deepEqual([end.error.code, end.error.started], ['NOT_CLONEABLE', 'yes'])
    }
  }
})

test('a buffer goes to the thread and back without a copy on either side', async (t) => {
  const runner = runnerOf<Moves>(t, { functions: MOVES, threads: { max: 1 } })
  const bytes = new Uint8Array(50).fill(3)
  const back = await runner.call('pass', [bytes], { transfer: [bytes.buffer] })
  ok(bytes.buffer.detached)
  deepEqual(back, new Uint8Array(50).fill(3))
})

test('a port moves to the thread, and one moves out of it', async (t) => {
  const runner = runnerOf<Moves>(t, { functions: MOVES, threads: { max: 1 } })
  const { port1, port2 } = new MessageChannel()
  const answer = once(port1, 'message')
  await runner.call('answerOn', [port2], { transfer: [port2] })
  deepEqual(await within(5_000, answer, 'no message comes'), ['from the thread'])
  port1.close()

  const port = await runner.call('openPort', [])
  const echo = once(port, 'message')
  port.postMessage('there')
  deepEqual(await within(5_000, echo, 'no message comes'), ['there and back'])
  port.close()
})

test('a buffer of a call that is dropped before it was sent stays with its caller', async (t) => {
  const runner = runnerOf<Moves>(t, { functions: MOVES, threads: { max: 1 } })
  const buffer = new ArrayBuffer(8)
  const controller = new AbortController()
  const call = endOf(runner.call('fill', [buffer, 1], { transfer: [buffer], signal: controller.signal }))
  controller.abort()
  ok('error' in (await call))
  ok(!buffer.detached)
})

test('a buffer that was moved before is refused, and the argument named', async (t) => {
  const runner = runnerOf<Moves>(t, { functions: MOVES, threads: { max: 1 } })
  const buffer = new ArrayBuffer(8)
  await runner.call('fill', [buffer, 1], { transfer: [buffer] })
  const end = await endOf(runner.call('fill', [buffer, 1]))
  ok('error' in end && end.error instanceof CallError)
  equal(end.error.code, 'NOT_CLONEABLE')
  ok(end.error.message.startsWith('args[0] is '), end.error.message)
})
