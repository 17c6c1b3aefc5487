import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import { Ledger } from '../../../src/adapters/http/ledger.ts'
import { createRunner, type Runner } from '../../../src/index.ts'
import { until } from '../../helpers/latch.ts'
import { CALLS, type Calls } from '../../suites/place.ts'

function setUp(t: { after(tearDown: () => Promise<void>): void }): { runner: Runner<Calls>; ledger: Ledger } {
  const runner = createRunner<Calls>({ functions: CALLS, threads: { max: 1 }, retainLimit: 2 })
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
