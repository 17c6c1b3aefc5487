import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Lets every Node that a runner of this process starts use a cache of what was compiled before: most of what the start of
 * one costs in these tests is to strip the types from the same sources again. Children have none of this process's
 * environment, so that a script in front of Node tells them.
 */
export function cacheCompiled(): void {
  const folder = join(tmpdir(), 'coatcheck-test-cache')
  const program = join(folder, `node-${process.version}`)
  mkdirSync(folder, { recursive: true })
  const script = `#!/bin/sh\nexport NODE_COMPILE_CACHE='${folder}'\nexec '${process.execPath}' "$@"\n`
  // Others may do the same at this moment.
  const own = `${program}.${process.pid}`
  writeFileSync(own, script, { mode: 0o755 })
  renameSync(own, program)
  process.execPath = program
}
