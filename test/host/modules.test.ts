import { deepEqual, equal, ok } from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { CallError } from '../../src/index.ts'
import type * as awaits from '../fixtures/threads/awaits.ts'
import { endOf, FUNCTIONS, runnerOf, within, type Functions } from '../fixtures/threads/harness.ts'

const fixture = (name: string): URL => new URL(`../fixtures/threads/${name}`, import.meta.url)

test('functions of an .js module run', async (t) => {
  const runner = runnerOf(t, { functions: fixture('plain.js'), threads: { max: 1 } })
  equal(await runner.call('add', [1, 2]), 3)
})

test('functions of a .ts module run', async (t) => {
  const runner = runnerOf<Functions>(t, { functions: FUNCTIONS, threads: { max: 1 } })
  equal(await runner.call('add', [1, 2]), 3)
})

test('named exports of a .cjs module run, and what stands for the module is none', async (t) => {
  const runner = runnerOf(t, { functions: fixture('common.cjs'), threads: { max: 1 } })
  equal(await runner.call('add', [1, 2]), 3)
  equal(await runner.call('kind', []), 'object')
  for (const fn of ['default', 'module.exports', 'exports', '__esModule']) {
    equal(await codeOf(runner.call(fn, [])), 'FUNCTION_NOT_FOUND', fn)
  }
})

test('a functions module can be given by its absolute path, and by a file URL as a string', async (t) => {
  for (const functions of [fileURLToPath(fixture('plain.js')), fixture('plain.js').href]) {
    const runner = runnerOf(t, { functions, threads: { max: 1 } })
    equal(await runner.call('add', [1, 2]), 3)
  }
})

test('calls wait for the top-level await of the functions module', async (t) => {
  const runner = runnerOf<typeof awaits>(t, { functions: fixture('awaits.ts'), threads: { min: 0, max: 1 } })
  equal(await within(10_000, runner.call('addToBase', [2]), 'the call does not end'), 42)
})

test('what every object inherits is no function', async (t) => {
  const inherited = ['toString', 'constructor', '__proto__', 'hasOwnProperty', 'valueOf', '__defineGetter__', 'then']
  const runner = runnerOf(t, { functions: fixture('plain.js'), threads: { max: 1 } })
  // Before the names are known, and when they are.
  for (const _ of ['cold', 'warm']) {
    for (const fn of inherited) equal(await codeOf(runner.call(fn, [])), 'FUNCTION_NOT_FOUND', fn)
    equal(await runner.call('add', [1, 2]), 3)
  }
})

test('a module may export functions by any name, and each runs', async (t) => {
  const runner = runnerOf(t, { functions: fixture('odd-names.js'), threads: { max: 1 } })
  await runner.ready()
  for (const fn of ['toString', 'constructor', '__proto__', 'with spaces']) equal(await runner.call(fn, []), 'own', fn)
  equal(await runner.call('arrow', []), 'arrow')
})

test('a function named then is one like any other', async (t) => {
  const runner = runnerOf(t, { functions: fixture('thenable.js'), threads: { max: 1 } })
  equal(await within(10_000, runner.call('add', [1, 2]), 'the call does not end'), 3)
  equal(await within(10_000, runner.call('then', []), 'the call does not end'), 'then')
})

test('the default export and what is not a function are no functions', async (t) => {
  const runner = runnerOf(t, { functions: fixture('odd-names.js'), threads: { max: 1 } })
  for (const fn of ['default', 'byDefault', 'notAFunction', 'named', '', 'hasOwnProperty']) {
    equal(await codeOf(runner.call(fn, [])), 'FUNCTION_NOT_FOUND', fn)
  }
})

test('a class that is called as a function ends its call with what that throws', async (t) => {
  const runner = runnerOf(t, { functions: fixture('odd-names.js'), threads: { max: 1 } })
  const end = await endOf(runner.call('Thing', []))
  ok('error' in end && end.error instanceof TypeError)
})

test('an unknown function is refused: nothing is kept, and the message names those there are', async (t) => {
  const runner = runnerOf(t, { functions: fixture('plain.js'), threads: { min: 0, max: 1 } })
  const end = await endOf(runner.start('ad', [1, 2]))
  ok('error' in end && end.error instanceof CallError)
  deepEqual([end.error.code, end.error.started, end.error.retryable], ['FUNCTION_NOT_FOUND', 'no', false])
  ok(end.error.message.includes('add'), end.error.message)
  deepEqual(runner.stats().calls, { queued: 0, running: 0, finished: 0 })
})

async function codeOf(call: Promise<unknown>): Promise<string> {
  const end = await within(10_000, endOf(call), 'the call does not end')
  ok('error' in end, 'the call ended well')
  ok(end.error instanceof CallError, String(end.error))
  return end.error.code
}
