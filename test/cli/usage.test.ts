import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import { FakeShell } from '../helpers/fake-shell.ts'

const URL = 'http://127.0.0.1:1811'

/** Asserts that it is refused in one line before any node was asked, and that the line is this one. */
async function refuses(written: string[], line: string): Promise<void> {
  const shell = new FakeShell()
  const { ending, stdout, stderr } = await shell.run(...written)
  equal(stderr, `coatcheck: ${line}\n`)
  deepEqual({ ending, stdout, addresses: shell.addresses }, { ending: 2, stdout: '', addresses: [] })
}

const COMMANDS = 'the commands are serve, call, wait, ls, cancel, top, demo; coatcheck --help tells of them'

test('a missing and an unknown command are told which there are', async () => {
  await refuses([], `a command is missing; ${COMMANDS}`)
  await refuses(['start'], `there is no command "start"; ${COMMANDS}`)
  await refuses(['help', 'start'], `there is no command "start"; ${COMMANDS}`)
})

test('an option that the command has not is told which it has', async () => {
  await refuses(['demo', '--json'], 'demo has no option "--json"; it has none')
  await refuses(
    ['wait', URL, '1', '--time', '1'],
    'wait has no option "--time"; its options are --timeout, --json, --tls-ca, --tls-cert, --tls-key',
  )
  await refuses(
    ['wait', URL, '1', '-t'],
    'wait has no option "-t"; its options are --timeout, --json, --tls-ca, --tls-cert, --tls-key',
  )
})

test('an option without its value, and a value without a use, are told so', async () => {
  await refuses(['wait', URL, '1', '--timeout'], '--timeout needs a value: --timeout SECONDS')
  await refuses(['wait', URL, '1', '--timeout', '--json'], '--timeout needs a value: --timeout SECONDS')
  await refuses(['ls', URL, '--fn='], '--fn must not be empty')
  await refuses(['ls', URL, '--json=yes'], '--json takes no value: write it alone, without "=yes"')
})

test('an argument that is missing, and one too many, are told what is right', async () => {
  await refuses(['call', URL], 'FN is missing: coatcheck call URL FN [ARGS]')
  await refuses(['cancel'], 'URL is missing: coatcheck cancel URL ID')
  await refuses(['wait', URL, '1', '2'], 'there is one argument too many, "2": coatcheck wait URL ID')
})

test('a node that is no URL is told what one looks like', async () => {
  await refuses(['ls', 'localhost'], 'URL must be a node\'s, such as http://127.0.0.1:1811; got "localhost"')
  await refuses(['ls', 'localhost:1811'], 'URL must be a node\'s, such as http://127.0.0.1:1811; got "localhost:1811"')
  await refuses(['ls', 'file:///tmp'], 'URL must be a node\'s, such as http://127.0.0.1:1811; got "file:///tmp"')
})

test('times that are no times are told what a time is', async () => {
  const right = 'must be a number of seconds, 0 or more, or Infinity'
  await refuses(['wait', URL, '1', '--timeout', 'soon'], `--timeout ${right}; got "soon"`)
  await refuses(['wait', URL, '1', '--timeout', '-1'], `--timeout ${right}; got "-1"`)
  await refuses(['wait', URL, '1', '--timeout', '10s'], `--timeout ${right}; got "10s"`)
  await refuses(['wait', URL, '1', '--timeout', '0x10'], `--timeout ${right}; got "0x10"`)
  await refuses(['wait', URL, '1', '--timeout='], `--timeout ${right}; got ""`)
  await refuses(['call', URL, 'f', '--abort-after', '0'], '--abort-after must be 0.001 seconds or more, got "0"')
  await refuses(['top', URL, '--interval', '0'], '--interval must be 0.001 seconds or more, got "0"')
})

test('numbers and words that are out of range are told the range', async () => {
  await refuses(
    ['call', URL, 'f', '--priority', '101'],
    '--priority must be a whole number from -100 to 100, got "101"',
  )
  await refuses(
    ['call', URL, 'f', '--priority', '1.5'],
    '--priority must be a whole number from -100 to 100, got "1.5"',
  )
  await refuses(['ls', URL, '--limit', '0'], '--limit must be a whole number from 1 to 10000, got "0"')
  await refuses(['ls', URL, '--state', 'done'], '--state must be one of queued, running, finished; got "done"')
})

test('arguments of a call that are no JSON array are told what one looks like', async () => {
  const right = `must be a JSON array of arguments, such as '[1, "two"]'`
  await refuses(['call', URL, 'f', '1'], `ARGS ${right}; got "1"`)
  await refuses(['call', URL, 'f', '{"a":1}'], `ARGS ${right}; got "{\\"a\\":1}"`)
  await refuses(['call', URL, 'f', '[1,'], `ARGS ${right}; got "[1,"`)
  await refuses(['call', URL, 'f', ''], `ARGS ${right}; got ""`)
  await refuses(
    ['call', URL, 'f', `["${'long '.repeat(100)}`],
    `ARGS ${right}; got "[\\"long ${'long '.repeat(9)}lon..."`,
  )
})

test('a certificate without its key is told so, and an authority for a URL that has no TLS', async () => {
  await refuses(['ls', 'https://node1', '--tls-cert', 'a.pem'], '--tls-cert needs --tls-key beside it')
  await refuses(['ls', 'https://node1', '--tls-key', 'a.pem'], '--tls-key needs --tls-cert beside it')
  await refuses(['ls', URL, '--tls-ca', 'a.pem'], `--tls-ca is for an https: URL, got "${URL}/"`)
})

test('a module that is no file is told so', async () => {
  const right = "MODULE must be a module's file, such as ./functions.js; there is no file"
  await refuses(['serve', '/no/functions.js'], `${right} /no/functions.js`)
  await refuses(['serve', import.meta.dirname], `${right} ${import.meta.dirname}`)
})

test('a node that does not know its callers, or is given half of its certificate, is told what it needs', async () => {
  const known = 'lets callers from elsewhere in: it needs --tls-ca, by which they are known'
  await refuses(['serve', import.meta.filename, '--host', '0.0.0.0'], `--host 0.0.0.0 ${known}`)
  await refuses(['serve', import.meta.filename, '--tls-cert', 'node.pem'], '--tls-cert needs --tls-key beside it')
  const files = ['--tls-cert', import.meta.filename, '--tls-key', import.meta.filename]
  const none = `--tls-cert must be a PEM file, which begins with -----BEGIN; ${import.meta.filename} is none`
  await refuses(['serve', import.meta.filename, ...files], none)
  const missing = '--tls-ca must be a file that can be read: ENOENT: no such file or directory'
  await refuses(['serve', import.meta.filename, '--tls-ca', '/no/ca.pem'], `${missing}, open '/no/ca.pem'`)
})

test('ports, counts, paths and names of a node that are none are told what they are', async () => {
  await refuses(
    ['serve', import.meta.filename, '--port', '65536'],
    '--port must be a whole number from 0 to 65535, got "65536"',
  )
  await refuses(
    ['serve', import.meta.filename, '--threads', '0'],
    '--threads must be a whole number of at least 1, got "0"',
  )
  await refuses(
    ['serve', import.meta.filename, '--prefix', 'v1/'],
    '--prefix must be a path without a slash at its end, such as /v1; got "v1/"',
  )
  await refuses(
    ['serve', import.meta.filename, '--functions', 'a,,b'],
    '--functions must be names with commas between them, got "a,,b"',
  )
})
