import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import { Keys } from '../../../src/adapters/http/keys.ts'
import { FakeClock } from '../../helpers/fake-clock.ts'

test('a key is remembered for a while after each start by it', () => {
  const clock = new FakeClock()
  const keys = new Keys(clock)
  keys.remember('often', '1')
  keys.remember('once', '2')
  clock.skip(60_000)
  keys.remember('often', '1')
  clock.skip(30_000)
  deepEqual([keys.get('often'), keys.get('once'), keys.size], ['1', undefined, 1])
  clock.skip(60_000)
  deepEqual([keys.get('often'), keys.size], [undefined, 0])
})

test('the key of a call that was dropped stands for nothing', () => {
  const keys = new Keys(new FakeClock())
  keys.remember('key', '1')
  keys.free('another')
  equal(keys.get('key'), '1')
  keys.free('1')
  equal(keys.get('key'), undefined)
})

test('of too many keys those go that were used the longest ago', () => {
  const keys = new Keys(new FakeClock())
  for (let i = 0; i <= 100_000; i++) keys.remember(`key ${i}`, String(i))
  deepEqual([keys.size, keys.get('key 0'), keys.get('key 1')], [100_000, undefined, '1'])
})
