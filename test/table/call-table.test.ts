import { deepEqual, equal, match, notEqual, ok, throws } from 'node:assert/strict'
import { test } from 'node:test'
import { CallIds } from '../../src/model/call-id.ts'
import { CallTable } from '../../src/table/call-table.ts'
import type { Call, CallFacts } from '../../src/table/call.ts'
import { FakeClock } from '../helpers/fake-clock.ts'

interface SetUp {
  clock: FakeClock
  table: CallTable
  expired: number[]
  admit: (facts?: Partial<CallFacts>) => Call
  end: (call: Call) => boolean
}

function setUp({ retainLimit = 100 }: { retainLimit?: number } = {}): SetUp {
  const clock = new FakeClock()
  const expired: number[] = []
  const table = new CallTable({ clock, retainLimit, onExpired: ({ seq }) => expired.push(seq) })
  return {
    clock,
    table,
    expired,
    admit: (facts = {}) =>
      table.admit({
        fn: 'work',
        args: [],
        transfer: undefined,
        priority: 0,
        abortAfter: Infinity,
        grace: 0,
        retain: 1_000,
        ...facts,
      }),
    end: (call) => {
      const isFirst = table.end(call, { ok: true, value: call.seq }, clock.now(), clock.now())
      if (isFirst) table.settle(call)
      return isFirst
    },
  }
}

const ALL = { state: undefined, fn: undefined, after: 0, limit: 1_000 }

test('calls are numbered in the order of their admission, which is remembered', async () => {
  const { clock, table, admit } = setUp()
  const first = admit()
  await clock.advance(5)
  const second = admit({ fn: 'other', args: [1] })
  deepEqual([first.seq, second.seq, table.admitted, table.underWay], [1, 2, 2, 2])
  equal(second.admittedAt - first.admittedAt, 5)
  deepEqual([second.fn, second.args], ['other', [1]])
})

test('an ID is made on first need, and stays', () => {
  const { table, admit } = setUp()
  const call = admit()
  equal(call.id, undefined)
  const id = table.idOf(call)
  equal(table.idOf(call), id)
  equal(call.id, id)
  match(id, /^\d+:0:/)
})

test('the ID of a call that was sent names its place', () => {
  const { table, admit } = setUp()
  const call = admit()
  call.place = { cpid: 12, startedAt: undefined }
  match(table.idOf(call), /^\d+:12:/)
})

test('a known ID gives its call, from admission until it is dropped', async () => {
  const { clock, table, admit, end } = setUp()
  const call = admit({ retain: 100 })
  const id = table.tell(call)
  equal(table.get(id), call)
  end(call)
  equal(table.get(id), call)
  await clock.advance(99)
  equal(table.get(id), call)
  await clock.advance(1)
  throws(() => table.get(id), { code: 'CALL_EXPIRED' })
})

test("an ID of this table's that is no longer in it has expired", () => {
  const { table, admit, end } = setUp()
  const call = admit()
  const id = table.tell(call)
  end(call)
  table.forget(call)
  throws(() => table.get(id), { name: 'CallError', code: 'CALL_EXPIRED', message: new RegExp(id) })
})

test("another runner's ID is lost", () => {
  const { table, admit } = setUp()
  table.tell(admit())
  const id = new CallIds().create(1)
  throws(() => table.get(id), { name: 'CallError', code: 'CALL_LOST', started: 'unknown', message: new RegExp(id) })
})

test('what is no ID is unknown', () => {
  const { table, admit } = setUp()
  table.tell(admit())
  for (const id of ['', 'nonsense', '1:2:3:4', '__proto__', 'constructor']) {
    throws(() => table.get(id), { name: 'CallError', code: 'CALL_UNKNOWN' })
  }
})

test('a call that nobody may come back for is gone when it ends', () => {
  const { table, admit, end } = setUp()
  const call = admit()
  // Made for a log line, which is not a reason to keep the call.
  const id = table.idOf(call)
  equal(table.get(id), call)
  end(call)
  throws(() => table.get(id), { code: 'CALL_EXPIRED' })
  deepEqual([table.underWay, table.kept, table.page(ALL)], [0, 0, []])
})

test('an ID that is made after the end of a call that is not kept does not keep it', () => {
  const { table, admit, end } = setUp()
  const call = admit()
  end(call)
  throws(() => table.get(table.idOf(call)), { code: 'CALL_EXPIRED' })
})

test('a call that is kept for 0 ms is gone when it ends', () => {
  const { clock, table, admit, end, expired } = setUp()
  const call = admit({ retain: 0 })
  const id = table.tell(call)
  end(call)
  throws(() => table.get(id), { code: 'CALL_EXPIRED' })
  deepEqual([call.kept, table.kept, clock.pending, expired], [false, 0, 0, []])
})

test('an outcome that has expired is not given, although the timer is late', () => {
  const late = (): SetUp & { id: string } => {
    const parts = setUp()
    const call = parts.admit({ retain: 100 })
    const id = parts.table.tell(call)
    parts.table.bindKey(call, 'key', 'digest')
    parts.end(call)
    parts.clock.skip(100)
    return { ...parts, id }
  }
  const [byId, byKey, listed] = [late(), late(), late()]
  throws(() => byId.table.get(byId.id), { code: 'CALL_EXPIRED' })
  equal(byKey.table.byKey('key'), undefined)
  deepEqual(listed.table.page(ALL), [])
  for (const { expired, table } of [byId, byKey, listed]) deepEqual([expired, table.kept], [[1], 0])
})

test('above the limit, the calls that ended first are dropped and told of', () => {
  const { table, admit, end, expired } = setUp({ retainLimit: 2 })
  const calls = [admit(), admit(), admit()]
  const ids = calls.map((call) => table.tell(call))
  for (const at of [2, 0, 1]) end(calls[at] as Call)
  deepEqual([expired, table.kept, table.underWay], [[3], 2, 0])
  throws(() => table.get(ids[2] as string), { code: 'CALL_EXPIRED' })
  equal(calls[2]?.kept, false)
})

test('calls under way are never dropped for the limit', () => {
  const { table, admit, expired } = setUp({ retainLimit: 0 })
  const calls = [admit(), admit()]
  const ids = calls.map((call) => table.tell(call))
  deepEqual([ids.map((id) => table.get(id)), expired], [calls, []])
})

test('the end is told once: the second to end a call hears that it was late', async () => {
  const { clock, table, admit, end } = setUp()
  const call = admit()
  table.tell(call)
  const waits = [table.waits.add(call, 10_000), table.waits.add(call, Infinity)]
  equal(end(call), true)
  equal(table.end(call, { ok: true, value: 'late' }, undefined, clock.now()), false)
  await clock.settle()
  let answered = 0
  for (const wait of waits) void wait.then(() => (answered += 1))
  await clock.settle()
  equal(answered, 2)
  deepEqual([call.outcome, table.waits.size, table.kept], [{ ok: true, value: 1 }, 0, 1])
})

test('a call is kept before those who wait for it hear of its end', async () => {
  const { table, admit, end } = setUp()
  const call = admit()
  const id = table.tell(call)
  const seen = table.waits.add(call, Infinity).then(() => [table.get(id) === call, table.kept, table.underWay])
  end(call)
  deepEqual(await seen, [true, 1, 0])
})

test('a call that has ended is there for those who hear of its end, whether it is kept or not', () => {
  const { clock, table, admit } = setUp({ retainLimit: 0 })
  const call = admit()
  const id = table.tell(call)
  table.end(call, { ok: true, value: 1 }, clock.now(), clock.now())
  deepEqual([table.underWay, table.get(id)], [0, call])
  table.settle(call)
  throws(() => table.get(id), { code: 'CALL_EXPIRED' })
})

test('a call that was forgotten by those who heard of its end is not kept', () => {
  const { clock, table, admit, expired } = setUp()
  const call = admit()
  const id = table.tell(call)
  table.end(call, { ok: true, value: 1 }, clock.now(), clock.now())
  table.forget(call)
  table.settle(call)
  throws(() => table.get(id), { code: 'CALL_EXPIRED' })
  deepEqual([table.kept, clock.pending, expired], [0, 0, []])
})

test('a key leads to its call until that is dropped, then it is free', () => {
  const { table, admit, end } = setUp()
  const call = admit()
  table.bindKey(call, 'key', 'digest')
  equal(table.byKey('key'), call)
  equal(table.byKey('other'), undefined)
  // Its ID is made when somebody is given it.
  deepEqual([call.kept, call.digest, call.id], [true, 'digest', undefined])
  end(call)
  equal(table.byKey('key'), call)
  table.forget(call)
  equal(table.byKey('key'), undefined)
  const next = admit()
  table.bindKey(next, 'key', 'other')
  equal(table.byKey('key'), next)
  // Somebody else came to the same conclusion later.
  table.forget(call)
  equal(table.byKey('key'), next)
})

test('calls under way are counted and listed apart from those that ended', () => {
  const { table, admit, end } = setUp()
  const [first, second, third] = [admit(), admit(), admit()]
  table.tell(first)
  end(first)
  end(second)
  deepEqual([table.underWay, table.kept, [...table.underWayCalls()]], [1, 1, [third]])
})

test('a page gives the calls that match, in the order of their admission', () => {
  const { table, admit, end } = setUp()
  const calls = Array.from({ length: 6 }, (_, i) => admit({ fn: i % 2 ? 'odd' : 'even' }))
  const [first, , third, , fifth] = calls as [Call, Call, Call, Call, Call]
  table.tell(third)
  end(third)
  first.place = { cpid: 1, startedAt: 1 }
  fifth.place = { cpid: 1, startedAt: undefined }
  const seqs = (filter: object): number[] => table.page({ ...ALL, ...filter }).map(({ seq }) => seq)
  deepEqual(seqs({}), [1, 2, 3, 4, 5, 6])
  deepEqual(seqs({ fn: 'even' }), [1, 3, 5])
  deepEqual(seqs({ fn: 'none' }), [])
  deepEqual(seqs({ state: 'running' }), [1])
  deepEqual(seqs({ state: 'queued' }), [2, 4, 5, 6])
  deepEqual(seqs({ state: 'finished' }), [3])
  deepEqual(seqs({ state: 'queued', fn: 'even' }), [5])
  deepEqual(seqs({ limit: 2 }), [1, 2])
  deepEqual(seqs({ after: 2, limit: 2 }), [3, 4])
  deepEqual(seqs({ after: 6 }), [])
})

test('nothing is left of a thousand calls that came and went', async () => {
  const { clock, table, admit, end } = setUp({ retainLimit: 10 })
  const ids = new Set<string>()
  for (let i = 0; i < 1_000; i++) {
    const call = admit({ retain: i % 7 })
    if (i % 3) ids.add(table.tell(call))
    if (i % 5 === 0) table.bindKey(call, `key ${i}`, '')
    end(call)
  }
  await clock.advance(10)
  deepEqual([table.underWay, table.kept, table.page(ALL), table.waits.size, clock.pending], [0, 0, [], 0, 0])
  ok(ids.size > 600)
  for (const id of ids) throws(() => table.get(id), { code: 'CALL_EXPIRED' })
  for (let i = 0; i < 1_000; i++) equal(table.byKey(`key ${i}`), undefined)
})

test('two tables do not know the IDs of each other', () => {
  const [mine, theirs] = [setUp(), setUp()]
  const id = theirs.table.tell(theirs.admit())
  notEqual(mine.table.tell(mine.admit()), id)
  throws(() => mine.table.get(id), { code: 'CALL_LOST' })
})
