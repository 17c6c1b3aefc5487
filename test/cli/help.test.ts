import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { suite, test } from 'node:test'
import { COMMANDS } from '../../src/cli/commands.ts'
import { EXIT_STATUSES } from '../../src/cli/endings.ts'
import { usageOf } from '../../src/cli/parse.ts'
import { FakeShell } from '../helpers/fake-shell.ts'

async function printed(...written: string[]): Promise<string> {
  const { ending, stdout, stderr } = await new FakeShell().run(...written)
  equal(ending, 0)
  equal(stderr, '')
  return stdout
}

suite('help', () => {
  test('tells every command and every exit status', async () => {
    const help = await printed('--help')
    for (const { name, summary } of COMMANDS) ok(help.includes(`\n  ${name} `) && help.includes(summary), name)
    for (const [status, meaning] of EXIT_STATUSES) ok(help.includes(`\n  ${status.padEnd(5)}${meaning}\n`), status)
    equal(await printed('-h'), help)
    equal(await printed('help'), help)
  })

  test('of a command tells its arguments, its options and their defaults', async () => {
    const help = await printed('call', '--help')
    match(help, /^coatcheck call: .*\n\nUsage:\n {2}coatcheck call URL FN \[ARGS\] \[OPTIONS\]\n/)
    match(help, /\n {2}--timeout SECONDS {2,}how long to wait;.* Default: 10\n/)
    match(help, /\nTimes are in seconds\. /)
    equal(await printed('help', 'call'), help)
    equal(await printed('call', 'http://127.0.0.1', 'f', '-h'), help)
  })

  test('fits in 100 columns', async () => {
    for (const { name } of COMMANDS) {
      const [, ...lines] = (await printed(name, '--help')).split('\n')
      // Examples are copied, so they are not broken.
      for (const line of lines) ok(line.length <= 100 || line.startsWith('  coatcheck '), line)
    }
  })
})

test('--version prints the version of the package', async () => {
  const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  equal(await printed('--version'), `${version}\n`)
})

test('the README tells the same commands and exit statuses', async () => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8')
  const [, section = ''] = /^## From a shell$([^]*?)^## /m.exec(readme) ?? []
  const terms = [...section.matchAll(/^\| (?!-)(\S.*?) +\| (\S.*?) +\|$/gm)].map(([, term, meaning]) => [term, meaning])
  const commands = COMMANDS.map(({ name, parameters }) => `\`${[name, usageOf(parameters)].join(' ').trim()}\``)
  deepEqual(
    terms.map(([term]) => term),
    ['command', ...commands, 'exit status', ...EXIT_STATUSES.map(([status]) => status)],
  )
  deepEqual(terms.slice(-EXIT_STATUSES.length), EXIT_STATUSES)
})
