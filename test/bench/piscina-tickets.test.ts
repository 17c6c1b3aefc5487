import { equal, rejects } from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { Contender } from '../../bench/contenders/contender.ts'
import { createWithTickets } from '../../bench/contenders/piscina-tickets.ts'
import { capable } from '../../bench/harness/capable.ts'
import { sharedWord, tell } from '../../bench/harness/shared-word.ts'

/** Milliseconds. A loop that nothing ends would keep this process. */
const timeout = 60_000

test('a call that goes on is asked for again until it has ended', { timeout }, async (t) => {
  const { start, wait } = capable(contenderFor(t).tickets, 'tickets')
  const told = sharedWord()
  t.after(() => tell(told))
  const id = await start('untilTold', told, 1)
  equal(await wait(id, 1), false)
  tell(told)
  equal(await wait(id, Infinity), true)
  equal(await wait(id, 1), true)
})

test('an ID that nobody has given is refused', { timeout }, async (t) => {
  const { wait } = capable(contenderFor(t).tickets, 'tickets')
  await rejects(wait('none', 1), /there is no call none/)
})

test('a busy loop ends by its abort, and the next call runs', { timeout }, async (t) => {
  const contender = contenderFor(t)
  const begin = capable(contender.begin, 'abort')
  const begun = sharedWord()
  const loop = begin('busyLoop', begun)
  const ended = rejects(loop.ended, /aborted/)
  while (Atomics.load(begun, 0) === 0) await new Promise(setImmediate)
  loop.abort()
  await ended
  equal(await contender.call('echo', 7), 7)
})

function contenderFor(t: TestContext): Contender {
  const contender = createWithTickets({ workers: 1 })
  t.after(() => contender.close())
  return contender
}
