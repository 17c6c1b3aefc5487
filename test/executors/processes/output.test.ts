import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { describe, test } from 'node:test'
import { pino } from 'pino'
import { Output } from '../../../src/executors/children/output.ts'
import { Lines, MEGABYTE, processRunner } from '../../fixtures/processes/harness.ts'
import { Signposts, until } from '../../helpers/latch.ts'

const KEPT = 65_536

describe('what a call prints', () => {
  test('goes to the logger line by line, with the call, at info and at warn', async (t) => {
    const lines = new Lines()
    const runner = processRunner(t, { logger: pino({}, lines) })
    const { id } = await runner.start('print', ['to stdout\n', 1], { timeout: 0 })
    await runner.wait(id, { timeout: Infinity })
    await runner.call('print', ['to stderr\n', 2, 'stderr'])
    await until('the lines', () => lines.printed('stdout').length + lines.printed('stderr').length === 3)
    const out = lines.all.find(({ msg }) => msg === 'to stdout')
    deepEqual([out?.level, out?.['fn'], out?.['callId'], out?.['stream']], [30, 'print', id, 'stdout'])
    deepEqual(
      lines.all.filter(({ msg }) => msg === 'to stderr').map(({ level }) => level),
      [40, 40],
    )
  })

  test('is read whole, however much it is, and of 100 MB the log gets head and tail', async (t) => {
    const lines = new Lines()
    const runner = processRunner(t, { logger: pino({}, lines) })
    const text = `${'noise '.repeat(10_922)}\n`
    const times = Math.ceil((100 * 1_000_000) / text.length)
    equal(await runner.call('print', [text, times]), 'printed')
    await until('the tail', () => lines.printed('stdout').some((line) => line.includes('bytes were dropped here')))
    const printed = lines.printed('stdout')
    const dropped = Number(/(\d+) bytes were dropped/.exec(printed.find((line) => line.includes('dropped')) ?? '')?.[1])
    equal(dropped, text.length * times - 2 * KEPT)
    const logged = printed.reduce((sum, line) => sum + line.length, 0)
    ok(logged < 3 * KEPT, `${logged} characters in the log`)
  })

  test('need not have lines, nor be text', async (t) => {
    const lines = new Lines()
    const runner = processRunner(t, { logger: pino({}, lines) })
    equal(await runner.call('print', ['x'.repeat(1_000), 5_000]), 'printed')
    const wrong = Uint8Array.from({ length: 4_096 }, (_, i) => 128 + (i % 128))
    equal(await runner.call('printBytes', [wrong, 1_000]), 'printed')
    await until('both tails', () => lines.printed('stdout').filter((line) => line.includes('dropped')).length === 2)
    ok(lines.printed('stdout').some((line) => line.includes('\ufffd')))
  })

  test('is of no concern to those who have no logger', async (t) => {
    const runner = processRunner(t)
    equal(await runner.call('print', ['noise\n', 10_000, 'stderr']), 'printed')
  })

  test('has room for each call of a process that serves more than one', async (t) => {
    const lines = new Lines()
    const runner = processRunner(t, {
      logger: pino({}, lines),
      processes: { max: 1 },
      define: { print: { reuse: 10 } },
    })
    await runner.call('print', ['x'.repeat(KEPT), 3])
    await runner.call('print', ['short\n', 1])
    await until('the line of the second', () => lines.printed('stdout').includes('short'))
  })
})

describe('log lines and progress', () => {
  test('that are larger than a result may be are dropped, which is logged, and the call goes on', async (t) => {
    const lines = new Lines()
    const limits = { resultLimit: 1_000 }
    const runner = processRunner(t, { logger: pino({}, lines), define: { logLarge: limits, reportLarge: limits } })
    equal(await runner.call('logLarge', [MEGABYTE]), 'logged')
    await until('the log', () => lines.all.some(({ msg }) => /^a log line of \d+ bytes was dropped/.test(msg)))

    const posts = new Signposts()
    t.after(() => posts.remove())
    const latch = posts.latch()
    const { id } = await runner.start('reportLarge', [MEGABYTE, latch.path], { timeout: 0 })
    await until('the log', () => lines.all.some(({ msg }) => /^progress of \d+ bytes was dropped/.test(msg)))
    const status = await runner.wait(id, { timeout: 0 })
    ok(!status.finished)
    equal(status.progress, 'small')
    latch.open()
    deepEqual(await runner.wait(id, { timeout: Infinity }), { finished: true, ok: true, value: 'reported', id })
  })

  test('that are larger than a small limit for results, but not large, arrive', async (t) => {
    const lines = new Lines()
    const runner = processRunner(t, { logger: pino({}, lines), define: { logLarge: { resultLimit: 100 } } })
    equal(await runner.call('logLarge', [10_000]), 'logged')
    await until('the log', () => lines.all.some(({ msg }) => msg.length === 10_000))
  })
})

describe('Output', () => {
  async function told(chunks: readonly (string | Buffer)[]): Promise<{ lines: string[]; output: Output }> {
    const stream = new PassThrough({ highWaterMark: 2 ** 30 })
    const lines: string[] = []
    const output = new Output(stream, (line) => lines.push(line))
    for (const chunk of chunks) stream.write(chunk)
    stream.end()
    await output.ended
    // It tells what it held back after that.
    await new Promise((resolve) => setImmediate(resolve))
    return { lines, output }
  }

  test('tells lines as they are, however they arrive, and the last one without an end', async () => {
    deepEqual((await told(['one\ntw', 'o\n\nth', 'ree'])).lines, ['one', 'two', 'three'])
    deepEqual((await told([Buffer.from('ä').subarray(0, 1), Buffer.from('ä').subarray(1)])).lines, ['ä'])
  })

  test('keeps 64 KiB of the beginning and of the end, and counts what is between', async () => {
    const { lines } = await told(['a'.repeat(KEPT), 'b'.repeat(5), 'c'.repeat(KEPT)])
    deepEqual(
      lines.map((line) => (line.length > 100 ? `${line[0]} ${line.length}` : line)),
      [`a ${KEPT}`, '... 5 bytes were dropped here', `c ${KEPT}`],
    )
  })

  test('drops nothing as long as it has room', async () => {
    const { lines } = await told(['a'.repeat(KEPT), 'b'.repeat(KEPT)])
    deepEqual(
      lines.map((line) => line.length),
      [KEPT, KEPT],
    )
  })

  test('gives its last bytes, also when nothing is left to tell', async () => {
    const { output } = await told(['first\n', 'x'.repeat(1_000), 'last'])
    equal(output.last(4), 'last')
    match(output.last(Infinity), /^first\nx+last$/)
  })

  test('begins anew for somebody else', async () => {
    const stream = new PassThrough({ highWaterMark: 2 ** 30 })
    const lines: string[] = []
    const output = new Output(stream, (line) => lines.push(line))
    stream.write('x'.repeat(3 * KEPT))
    await until('the first', () => output.last(1) === 'x')
    output.restart()
    equal(output.last(100), '')
    const before = lines.length
    stream.end('new\n')
    await output.ended
    await until('the second', () => lines.length > before)
    deepEqual(lines.slice(before), ['new'])
  })
})
