import { equal, match, notEqual, ok } from 'node:assert/strict'
import { test } from 'node:test'
import { CallIds } from '../../src/model/call-id.ts'

test('an ID names the process, the place, the time and 40 hex digits', () => {
  const before = Date.now() / 1_000
  const id = new CallIds().create(42)
  const after = Date.now() / 1_000
  match(id, /^\d+:\d+:\d+\.\d+:[0-9a-f]{40}$/)
  const [ppid, cpid, time, random] = id.split(':')
  equal(ppid, String(process.pid))
  equal(cpid, '42')
  equal(random?.length, 40)
  // Written to the millisecond.
  ok(Number(time) >= before - 0.001 && Number(time) <= after + 0.001, `${time} is now`)
})

test('all IDs of a runner begin their random part with its tag', () => {
  const ids = new CallIds()
  match(ids.tag, /^[0-9a-f]{8}$/)
  for (let i = 0; i < 300; i++) equal(secretOf(ids.create(0)).slice(0, 8), ids.tag)
})

test('two runners of one process have different tags', () => {
  const tags = new Set(Array.from({ length: 100 }, () => new CallIds().tag))
  equal(tags.size, 100)
})

test('the unguessable part of an ID never comes again', () => {
  const ids = new CallIds()
  // Many times more than one read of the random source gives.
  const secrets = new Set(Array.from({ length: 20_000 }, () => secretOf(ids.create(0)).slice(8)))
  equal(secrets.size, 20_000)
})

test('no eight bytes of the unguessable part of an ID are seen in another one', () => {
  const ids = new CallIds()
  const windows = new Set<string>()
  // More than one read of the random source gives.
  const count = 400
  for (let i = 0; i < count; i++) {
    const secret = secretOf(ids.create(0)).slice(8)
    equal(secret.length, 32)
    for (let at = 0; at <= 16; at += 2) windows.add(secret.slice(at, at + 16))
  }
  equal(windows.size, 9 * count)
})

test('each of the 128 bits of the unguessable part is random', () => {
  const ids = new CallIds()
  const ones = new Array<number>(128).fill(0)
  const count = 4_000
  for (let i = 0; i < count; i++) {
    const bits = BigInt(`0x${secretOf(ids.create(0)).slice(8)}`)
    for (let bit = 0; bit < 128; bit++) if ((bits >> BigInt(bit)) & 1n) ones[bit] = (ones[bit] as number) + 1
  }
  // Ten standard deviations: never by chance.
  const far = 10 * Math.sqrt(count / 4)
  for (const [bit, seen] of ones.entries()) {
    ok(Math.abs(seen - count / 2) < far, `bit ${bit} was 1 in ${seen} of ${count} IDs`)
  }
})

test('a runner knows its own IDs', () => {
  const ids = new CallIds()
  for (const cpid of [0, 1, 4_194_304]) equal(ids.origin(ids.create(cpid)), 'own')
})

test("another runner's ID is seen to be one", () => {
  const [mine, theirs] = [new CallIds(), new CallIds()]
  notEqual(mine.tag, theirs.tag)
  equal(mine.origin(theirs.create(3)), 'other')
})

test('an ID with the tag of a runner is its own, whatever its other parts are', () => {
  const ids = new CallIds()
  equal(ids.origin(`1:2:3.4:${ids.tag}${'0'.repeat(32)}`), 'own')
})

test('what does not have the form of an ID is none', () => {
  const ids = new CallIds()
  const id = ids.create(5)
  const [ppid, cpid, time, random] = id.split(':') as [string, string, string, string]
  const malformed = [
    '',
    'nonsense',
    ` ${id}`,
    `${id}\n`,
    `${id}0`,
    id.slice(0, -1),
    id.toUpperCase(),
    random,
    `${ppid}:${cpid}:${time}`,
    `${ppid}:${time}:${random}`,
    `${ppid}:${cpid}:${random}`,
    `-1:${cpid}:${time}:${random}`,
    `x:${cpid}:${time}:${random}`,
    `${ppid}:1.5:${time}:${random}`,
    `${ppid}:${cpid}:${Math.floor(Number(time))}:${random}`,
    `${ppid}:${cpid}:NaN:${random}`,
    `${ppid}:${cpid}:${time}:${random.slice(0, 39)}g`,
    `${ppid}:${cpid}:${time}:${random}:${random}`,
    `${ppid}:${cpid}:${'9'.repeat(200)}.1:${random}`,
    '__proto__',
  ]
  // An ID in upper case is its own again when it has no letters.
  const isNone = malformed.filter((text) => text !== id)
  for (const text of isNone) equal(ids.origin(text), 'none', JSON.stringify(text))
})

function secretOf(id: string): string {
  return id.split(':')[3] as string
}
