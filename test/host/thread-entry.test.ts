import { deepEqual, ok } from 'node:assert/strict'
import { test } from 'node:test'
import type * as required from '../fixtures/threads/required.ts'
import { runnerOf } from '../fixtures/threads/harness.ts'

const FUNCTIONS = new URL('../fixtures/threads/required.ts', import.meta.url)

test('no thread requires an ES module, since one that is ended meanwhile takes the process along', async (t) => {
  const paths = await runnerOf<typeof required>(t, { functions: FUNCTIONS }).call('required', [])
  const own = paths.filter((path) => !path.includes('node_modules'))
  ok(own.some((path) => /thread-entry\.c[jt]s$/.test(path)))
  deepEqual(
    own.filter((path) => !/\.c[jt]s$/.test(path)),
    [],
  )
})
