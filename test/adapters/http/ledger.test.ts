import { deepEqual, equal } from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { Ledger } from '../../../src/adapters/http/ledger.ts'
import { createRunner, type Runner } from '../../../src/index.ts'
import { until } from '../../helpers/latch.ts'
import { CALLS, type Calls } from '../../suites/place.ts'

function setUp(t: TestContext, retainLimit = 2): { runner: Runner<Calls>; ledger: Ledger } {
  const runner = createRunner<Calls>({ functions: CALLS, threads: { max: 1 }, retainLimit })
  t.after(() => runner.close({ abort: true, grace: 0 }))
  return { runner, ledger: new Ledger(runner) }
}

async function begin({ runner, ledger }: ReturnType<typeof setUp>, retain?: number): Promise<string> {
  const options = retain === undefined ? {} : { retain }
  const { id } = await runner.start('add', [1, 2], { timeout: 0, ...options })
  ledger.own(id, 'alice', 'add')
  return id
}

test('a call is known while it is kept, and the first who starts it owns it', async (t) => {
  const set = setUp(t)
  const id = await begin(set)
  await set.runner.wait(id)
  set.ledger.own(id, 'bob', 'add')
  deepEqual({ ...set.ledger.get(id), isKept: true }, { principal: 'alice', fn: 'add', isKept: true, waits: 0 })
})

test('a call that was never kept is not known any more, though nobody waited for it', async (t) => {
  const set = setUp(t)
  await begin(set, 0)
  await until('an empty ledger', () => set.ledger.size === 0)
})

test('a call that the runner drops is not known any more', async (t) => {
  const set = setUp(t)
  for (let i = 0; i < 5; i++) await set.runner.wait(await begin(set))
  await until('those that are kept', () => set.ledger.size === 2)
})

test('calls of the application are none of it, and it listens to the runner no longer than it is used', async (t) => {
  const set = setUp(t)
  await set.runner.wait(await begin(set))
  await set.runner.wait((await set.runner.start('add', [1, 2], { timeout: 0 })).id)
  equal(set.ledger.size, 1)
  set.ledger.close()
  await begin(set, 0)
  await set.runner.call('add', [1, 2])
  equal(set.ledger.size, 2)
})

test('calls that the application forgets itself are not known for ever', async (t) => {
  const set = setUp(t, 10_000)
  const ids = await Promise.all(Array.from({ length: 1_000 }, () => begin(set)))
  for (const id of ids) await set.runner.wait(id)
  // Those that ended last may be looked at only now.
  await Promise.all(ids.map((id) => set.ledger.check(id)))
  for (const id of ids) await set.runner.forget(id)
  equal(set.ledger.size, 1_000)
  const kept = await begin(set)
  await until('those that are kept', () => set.ledger.size === 1)
  equal(set.ledger.get(kept)?.fn, 'add')
})
