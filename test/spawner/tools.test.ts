import { equal, ok, throws } from 'node:assert/strict'
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { findProgram, findTool } from '../../src/spawner/tools.ts'
import { signposts } from '../fixtures/processes/harness.ts'

describe('a program', () => {
  test('is found by its path, by one from the folder it begins in, and in the first folder of PATH that has it', (t) => {
    const { folder } = signposts(t)
    const [first, second] = [join(folder, 'first'), join(folder, 'second')]
    for (const each of [first, second]) {
      mkdirSync(each)
      writeFileSync(join(each, 'program'), '', { mode: 0o755 })
    }
    equal(findProgram(join(first, 'program')), join(first, 'program'))
    equal(findProgram('./program', undefined, first), join(first, 'program'))
    equal(findProgram('first/program', undefined, folder), join(first, 'program'))
    equal(findProgram('program', `${folder}/none:${second}:${first}`), join(second, 'program'))
    chmodSync(join(second, 'program'), 0o644)
    equal(findProgram('program', `${second}:${first}`), join(first, 'program'))
  })

  test('that cannot be started is refused with the code of the system', (t) => {
    const { folder } = signposts(t)
    writeFileSync(join(folder, 'text'), '', { mode: 0o644 })
    throws(() => findProgram('no-such-program', folder), { code: 'ENOENT', message: /no program "no-such-program"/ })
    throws(() => findProgram(join(folder, 'none')), { code: 'ENOENT' })
    throws(() => findProgram(join(folder, 'text')), { code: 'EACCES' })
    throws(() => findProgram(dirname(folder)), { code: 'EACCES' })
    throws(() => findProgram(basename(folder), dirname(folder)), { code: 'ENOENT' })
  })
})

test('tools of the system are looked for in its own folders alone', () => {
  ok(findTool('sh')?.endsWith('/sh'))
  equal(findTool('no-such-tool'), undefined)
})

test('a tool that is one of the many of a single program is none: it has not the options that are needed', (t) => {
  const { folder } = signposts(t)
  const [bin, usr] = [join(folder, 'bin'), join(folder, 'usr')]
  for (const each of [bin, usr]) mkdirSync(each)
  writeFileSync(join(bin, 'busybox'), '', { mode: 0o755 })
  symlinkSync(join(bin, 'busybox'), join(bin, 'setpriv'))
  equal(findTool('setpriv', `${bin}:${usr}`), undefined)
  writeFileSync(join(usr, 'setpriv'), '', { mode: 0o755 })
  equal(findTool('setpriv', `${bin}:${usr}`), join(usr, 'setpriv'))
})
