import { deepEqual, equal, match } from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { createRunner, type Runner } from '../../src/index.ts'
import { FakeShell, nodeOf } from '../helpers/fake-shell.ts'
import { Signposts } from '../helpers/latch.ts'
import { CALLS } from '../suites/place.ts'

const URL = 'http://127.0.0.1:1811'

let runner: Runner
let posts: Signposts

before(() => {
  runner = createRunner({ functions: CALLS, threads: { max: 2 } })
  posts = new Signposts()
})

after(async () => {
  await runner.close({ abort: true, grace: 0 })
  posts.remove()
})

function shell(): FakeShell {
  return new FakeShell(nodeOf(runner))
}

/** The ID that stands in what was printed. */
function idIn(text: string): string {
  return /\d+:\d+:[\d.]+:[0-9a-f]{40}/.exec(text)?.[0] ?? 'no ID'
}

suite('call', () => {
  test('prints the value and nothing else, and closes its connection', async () => {
    const own = shell()
    deepEqual(await own.run('call', URL, 'add', '[1, 2]'), { ending: 0, stdout: '3\n', stderr: '' })
    equal(own.connected, 0)
    equal(own.isListening, false)
  })

  test('prints a string as it is, an object as JSON, and nothing for undefined', async () => {
    equal((await shell().run('call', URL, 'echo', '["a \\"b\\"\\nc"]')).stdout, 'a "b"\nc\n')
    equal((await shell().run('call', URL, 'echo', '[{ "a": [1] }]')).stdout, '{\n  "a": [\n    1\n  ]\n}\n')
    equal((await shell().run('call', URL, 'echo')).stdout, '')
  })

  test('prints what JSON would lose as Node shows it', async () => {
    const node = { start: async () => ({ finished: true, ok: true, value: new Map([['a', 1n]]) }) as const }
    equal((await new FakeShell(node).run('call', URL, 'f')).stdout, "Map(1) { 'a' => 1n }\n")
    const json = await new FakeShell(node).run('call', URL, 'f', '--json')
    deepEqual(JSON.parse(json.stdout), { finished: true, ok: true, shown: "Map(1) { 'a' => 1n }" })
  })

  test('reads the arguments from standard input for -', async () => {
    const own = shell()
    own.stdin = (async function* () {
      yield '[4,'
      yield ' 5]'
    })()
    equal((await own.run('call', URL, 'add', '-')).stdout, '9\n')
  })

  test('refuses a standard input that is no JSON array', async () => {
    const { ending, stderr } = await shell().run('call', URL, 'add', '-')
    equal(ending, 2)
    equal(stderr, `coatcheck: standard input must be a JSON array of arguments, such as '[1, "two"]'; got ""\n`)
  })

  test('tells what the function threw, with its stack, and ends with 1', async () => {
    const { ending, stdout, stderr } = await shell().run('call', URL, 'fail', '["quota"]')
    deepEqual({ ending, stdout }, { ending: 1, stdout: '' })
    match(stderr, /^coatcheck: FUNCTION_THREW: "fail" threw QuotaError: too much\n\w*Error: too much\n {4}at /)
    match(stderr, /code: 'E_QUOTA'/)
  })

  test('tells a refusal in one line, and ends with 4', async () => {
    await runner.ready()
    const { ending, stdout, stderr } = await shell().run('call', URL, 'nothing')
    deepEqual({ ending, stdout }, { ending: 4, stdout: '' })
    match(stderr, /^coatcheck: FUNCTION_NOT_FOUND: there is no function "nothing"; .*\n$/)
  })

  test('that is not finished in time prints its ID and the command to come back, and ends with 3', async () => {
    const latch = posts.latch()
    const { ending, stdout, stderr } = await shell().run(
      'call',
      URL,
      'hold',
      JSON.stringify([latch.path, 'held']),
      '--timeout',
      '0.3',
    )
    deepEqual({ ending, stdout }, { ending: 3, stdout: '' })
    const id = idIn(stderr)
    equal(stderr, `not finished (running): ${id}\ncome back with: coatcheck wait ${URL}/ ${id}\n`)

    latch.open()
    const [, command = ''] = /come back with: coatcheck (.*)\n/.exec(stderr) ?? []
    deepEqual(await shell().run(...command.split(' ')), { ending: 0, stdout: 'held\n', stderr: '' })
  })

  test('with a timeout of 0 hands the call in and ends at once', async () => {
    const latch = posts.latch()
    const { ending, stdout } = await shell().run('call', URL, 'hold', `["${latch.path}"]`, '--timeout', '0', '--json')
    latch.open()
    equal(ending, 3)
    const { finished, id } = JSON.parse(stdout) as { finished: boolean; id: string }
    deepEqual({ finished, id }, { finished: false, id: idIn(stdout) })
  })

  test('hands its options over, in milliseconds', async () => {
    const seen: unknown[] = []
    const start = async (...given: unknown[]) => {
      seen.push(...given)
      return { finished: true, ok: true, value: 1 } as const
    }
    const options = '--abort-after 1.1 --grace 0 --retain 60 --priority -3 --idempotency-key k'
    await new FakeShell({ start }).run('call', URL, 'f', '[]', '--timeout', '0.1', ...options.split(' '))
    const expected = { abortAfter: 1_100, grace: 0, retain: 60_000, priority: -3, idempotencyKey: 'k', timeout: 100 }
    deepEqual(seen, ['f', [], expected])
  })

  test('quotes what a shell would take apart in the command to come back', async () => {
    const start = async () => ({ finished: false, id: '1:2:3.4:5', state: 'queued' }) as const
    const own = new FakeShell({ start })
    const files = ['--tls-ca', '/tmp/my ca.pem', '--tls-cert', "/tmp/it's.pem", '--tls-key', '/tmp/key.pem']
    const { stderr } = await own.run('call', 'https://node1', 'f', '[]', '--timeout', '0', ...files)
    const quoted = `--tls-ca '/tmp/my ca.pem' --tls-cert '/tmp/it'\\''s.pem' --tls-key /tmp/key.pem`
    match(stderr, new RegExp(`wait https://node1/ 1:2:3.4:5 ${quoted.replaceAll('\\', '\\\\')}\n$`))
    const [address] = own.addresses
    deepEqual(
      { ca: address?.ca, cert: address?.cert, key: address?.key },
      { ca: '/tmp/my ca.pem', cert: "/tmp/it's.pem", key: '/tmp/key.pem' },
    )
  })
})

suite('call --json', () => {
  test('prints a value, a failure and a refusal as one JSON document each', async () => {
    const value = await shell().run('call', URL, 'add', '[1, 2]', '--json')
    deepEqual(JSON.parse(value.stdout), { finished: true, ok: true, value: 3 })

    const failed = await shell().run('call', URL, 'fail', '["quota"]', '--json')
    const { ok, error } = JSON.parse(failed.stdout) as { ok: boolean; error: Record<string, unknown> }
    equal(ok, false)
    equal(error['code'], 'FUNCTION_THREW')
    equal((error['cause'] as { code: string }).code, 'E_QUOTA')
    deepEqual({ ending: failed.ending, stderr: failed.stderr }, { ending: 1, stderr: '' })

    const refused = await shell().run('call', URL, 'nothing', '--json')
    equal((JSON.parse(refused.stdout) as { error: { code: string } }).error.code, 'FUNCTION_NOT_FOUND')
    deepEqual({ ending: refused.ending, stderr: refused.stderr }, { ending: 4, stderr: '' })
  })
})

suite('wait', () => {
  test('tells of an ID that is none, of a call of another node, and ends with 4', async () => {
    const none = await shell().run('wait', URL, '17')
    equal(none.ending, 4)
    match(none.stderr, /^coatcheck: CALL_UNKNOWN: .*\n$/)
    const other = await shell().run('wait', URL, `1:0:1795356416.314:${'0'.repeat(40)}`, '--json')
    equal(other.ending, 4)
    equal((JSON.parse(other.stdout) as { error: { code: string } }).error.code, 'CALL_LOST')
  })

  test('with a timeout of 0 only looks', async () => {
    const latch = posts.latch()
    const { id } = await runner.start('report', [[0.5], latch.path], { timeout: 0 })
    const { ending, stdout } = await shell().run('wait', URL, id, '--timeout', '0', '--json')
    latch.open()
    equal(ending, 3)
    equal((JSON.parse(stdout) as { id: string }).id, id)
  })
})

suite('cancel', () => {
  test('asks a call to end, with its reason', async () => {
    const { id } = await runner.start('throwWhenAborted', [], { timeout: 0 })
    const asked = await shell().run('cancel', URL, id, '--reason', 'enough', '--grace', '5')
    equal(asked.ending, 0)
    const { ending, stdout } = await shell().run('wait', URL, id, '--json')
    equal(ending, 1)
    const { error } = JSON.parse(stdout) as { error: { code: string; cause: string } }
    deepEqual([error.code, error.cause], ['ABORTED', 'enough'])

    const again = await shell().run('cancel', URL, id)
    equal(again.ending, 0)
    match(again.stdout, /^it has ended: ABORTED: .*\n$/)
  })

  test('tells of a call that had ended with a value', async () => {
    const { id = '' } = await runner.start('add', [1, 2], { retain: 60_000 })
    deepEqual(await shell().run('cancel', URL, id), { ending: 0, stdout: 'it has ended, with a value\n', stderr: '' })
    const { stdout } = await shell().run('cancel', URL, id, '--json')
    deepEqual(JSON.parse(stdout), { finished: true, id, ok: true, value: 3 })
  })
})
