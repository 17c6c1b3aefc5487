import { equal } from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { MEGABYTE, needsLinux, signposts } from '../../fixtures/processes/harness.ts'
import { runnerOf } from '../../fixtures/threads/harness.ts'

for (const extension of ['.mjs', '.mts']) {
  test(
    `the least memory that a function may be given is enough for a small ${extension} module`,
    needsLinux,
    async (t) => {
      const path = signposts(t).path(extension)
      const type = extension === '.mts' ? ': number' : ''
      writeFileSync(path, `export function add(a${type}, b${type})${type} {\n  return a + b\n}\n`)
      const runner = runnerOf<{ add(a: number, b: number): number }>(t, {
        functions: pathToFileURL(path),
        isolation: 'process',
        define: { add: { memory: 128 * MEGABYTE } },
      })
      for (let i = 0; i < 20; i++) equal(await runner.call('add', [i, 1]), i + 1)
    },
  )
}
