import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { inspect } from 'node:util'
import { pino } from 'pino'
import { CallError, createRunner, type Runner, type RunnerOptions } from '../../src/index.ts'
import { Signposts } from '../helpers/latch.ts'
import { assertError, NOT_NUMBERS, NOT_OBJECTS, NOT_OPTIONS, NOT_SPANS, type ErrorKind } from '../helpers/wrong.ts'
import { CALLS } from '../suites/place.ts'

const functions = CALLS

describe('createRunner refuses', () => {
  const posts = new Signposts()
  let started = 0
  const count = (): void => {
    started += 1
  }
  before(() => process.on('worker', count))
  after(() => {
    process.off('worker', count)
    posts.remove()
  })

  /** Asserts that no runner is made, that the error says each of `parts`, and that no thread was started. */
  async function refuses(options: unknown, kind: ErrorKind, ...parts: string[]): Promise<void> {
    await nextTurn()
    started = 0
    let made: Runner | undefined
    let thrown: unknown
    try {
      made = createRunner(options as RunnerOptions)
    } catch (error) {
      thrown = error
    }
    await made?.close()
    assert.equal(made, undefined, `made a runner, given ${inspect({ ...(options as RunnerOptions), functions: '' })}`)
    assertError(thrown, kind, parts)
    await nextTurn()
    assert.equal(started, 0, 'started a thread')
  }

  /** Asserts that the option takes milliseconds, 0 or more. `set` gives runner options with it. */
  async function takesSpan(name: string, set: (value: unknown) => object): Promise<void> {
    for (const wrong of NOT_NUMBERS) {
      await refuses({ functions, ...set(wrong) }, TypeError, `${name} must be a number of milliseconds, got`)
    }
    for (const wrong of NOT_SPANS) {
      const right = `${name} must be 0 or more milliseconds, or Infinity; got ${wrong}`
      await refuses({ functions, ...set(wrong) }, RangeError, right)
    }
  }

  /** Asserts that the option takes whole numbers in a range, which the message tells as `range`. */
  async function takesWholeNumber(
    name: string,
    range: string,
    outside: number[],
    set: (value: unknown) => object,
  ): Promise<void> {
    for (const wrong of NOT_NUMBERS) {
      await refuses({ functions, ...set(wrong) }, TypeError, `${name} must be a whole number, got`)
    }
    for (const wrong of [...outside, 1.5, NaN, Infinity, -Infinity]) {
      const right = `${name} must be a whole number ${range}, got ${wrong}`
      await refuses({ functions, ...set(wrong) }, RangeError, right)
    }
  }

  test('options that are no object', async () => {
    for (const wrong of [undefined, ...NOT_OBJECTS, ...NOT_OPTIONS]) {
      await refuses(wrong, TypeError, 'createRunner options must be an object, got')
    }
  })

  test('an option that is not known, and names those that are', async () => {
    await refuses(
      { functions, thread: {} },
      TypeError,
      'no option "thread"',
      'functions, define, ',
      'threads',
      'logger',
    )
    await refuses({ functions, Grace: 5 }, TypeError, 'no option "Grace"', 'grace')
    await refuses({ functions, threads: { maximum: 5 } }, TypeError, 'threads has no option "maximum"', 'min, max,')
    const define = { add: { timeout: 5 } }
    await refuses({ functions, define }, TypeError, 'define.add has no option "timeout"', 'abortAfter, grace')
  })

  test('functions that are missing or no path', async () => {
    const right = "a file URL such as new URL('./functions.js', import.meta.url), or an absolute path"
    await refuses({}, TypeError, 'option "functions" is missing', right)
    for (const wrong of [null, 5, {}, { add: () => 1 }, () => 1, '']) {
      await refuses({ functions: wrong }, TypeError, 'option "functions" must be', right)
    }
  })

  test('functions whose path is not absolute', async () => {
    for (const wrong of ['functions.ts', './functions.ts', '../functions.ts', 'test/fixtures/calls.ts']) {
      await refuses({ functions: wrong }, TypeError, 'option "functions" must be', 'an absolute path', wrong)
    }
  })

  test('functions that are not in a file', async () => {
    const urls = ['http://localhost/functions.js', 'https://localhost/functions.js', 'data:text/javascript,', 'node:fs']
    for (const wrong of urls) {
      await refuses({ functions: wrong }, TypeError, 'option "functions" must be', 'a file URL', wrong)
      await refuses({ functions: new URL(wrong) }, TypeError, 'option "functions" must be', 'a file URL', wrong)
    }
  })

  test('file URLs that name no path here', async () => {
    for (const wrong of ['file://elsewhere/functions.js', 'file:///a%2Fb.js']) {
      await refuses({ functions: wrong }, TypeError, 'option "functions"', 'file URL')
      await refuses({ functions: new URL(wrong) }, TypeError, 'option "functions"', 'file URL')
    }
  })

  test('functions that do not exist', async () => {
    const missing = posts.path('.ts')
    await refuses({ functions: missing }, Error, 'option "functions"', `there is no ${missing}`)
    const url = new URL('./not-there.ts', import.meta.url)
    await refuses({ functions: url }, Error, 'option "functions"', 'there is no', 'not-there.ts')
    await refuses({ functions: url.href }, Error, 'option "functions"', 'there is no', 'not-there.ts')
  })

  test('functions that are a folder', async () => {
    await refuses({ functions: posts.folder }, Error, 'option "functions"', posts.folder)
    await refuses({ functions: new URL('.', import.meta.url) }, Error, 'option "functions"', 'test/runner')
  })

  test('define that is no object of options', async () => {
    for (const wrong of [...NOT_OBJECTS, ...NOT_OPTIONS]) {
      await refuses({ functions, define: wrong }, TypeError, 'define', 'must be an object')
    }
    for (const wrong of [...NOT_OBJECTS, ...NOT_OPTIONS]) {
      await refuses({ functions, define: { add: wrong } }, TypeError, 'define.add must be an object, got')
    }
  })

  test('options of a function that are wrong', async () => {
    const define = (options: object) => ({ define: { add: options } })
    await takesSpan('define.add.grace', (grace) => define({ grace }))
    await takesSpan('define.add.retain', (retain) => define({ retain }))
    await takesSpan('define.add.abortAfter', (abortAfter) => define({ abortAfter }))
    const never = 'define.add.abortAfter must be more than 0 milliseconds; leave it out for no limit'
    await refuses({ functions, ...define({ abortAfter: 0 }) }, RangeError, never)
    await takesWholeNumber('define.add.priority', 'from -100 to 100', [-101, 101], (priority) => define({ priority }))
  })

  test('isolation that is not there', async () => {
    for (const isolation of ['threads', '', null, 5, true]) {
      const wrong = { add: { isolation } }
      await refuses({ functions, define: wrong }, TypeError, "define.add.isolation must be 'thread' or 'process', got")
      await refuses({ functions, isolation }, TypeError, "option \"isolation\" must be 'thread' or 'process', got")
    }
  })

  test('options of processes for a function on threads', async () => {
    const define = { add: { memory: 100_000_000 } }
    await refuses({ functions, define }, TypeError, 'define.add.memory is for a process', "isolation: 'process'")
  })

  test('commands that are none', async () => {
    for (const wrong of [...NOT_OBJECTS, ...NOT_OPTIONS]) {
      await refuses({ functions, commands: wrong }, TypeError, 'option "commands" must be an object, got')
    }
    for (const command of [undefined, 'ls -l', [], [''], [5]]) {
      await refuses({ functions, commands: { ls: { command } } }, TypeError, 'commands.ls.command')
    }
  })

  test('threads that are no object', async () => {
    for (const wrong of [...NOT_OBJECTS, ...NOT_OPTIONS]) {
      await refuses({ functions, threads: wrong }, TypeError, 'threads must be an object, got')
    }
  })

  test('numbers of threads that are wrong', async () => {
    await takesWholeNumber('threads.max', 'of at least 1', [0, -1], (max) => ({ threads: { max } }))
    await takesWholeNumber('threads.min', 'of at least 0', [-1], (min) => ({ threads: { min } }))
    const concurrencies = [0, -1, 513]
    await takesWholeNumber('threads.concurrency', 'from 1 to 512', concurrencies, (concurrency) => ({
      threads: { concurrency },
    }))
    await takesSpan('threads.idleTimeout', (idleTimeout) => ({ threads: { idleTimeout } }))
    const tooFew = { min: 3, max: 2 }
    await refuses({ functions, threads: tooFew }, RangeError, 'threads.min must be at most threads.max (2), got 3')
  })

  test('environments that are no object of strings', async () => {
    for (const env of [null, 'A=1', 5, [], ['A=1'], new Map([['A', '1']])]) {
      await refuses({ functions, threads: { env } }, TypeError, 'threads.env must be an object')
    }
    for (const value of [1, null, true, {}, Symbol('s')]) {
      await refuses({ functions, threads: { env: { PART: value } } }, TypeError, 'threads.env.PART must be a string')
    }
  })

  test('options of Node that are no array of strings, or that threads do not take', async () => {
    for (const execArgv of [null, '--no-warnings', 5, {}]) {
      await refuses({ functions, threads: { execArgv } }, TypeError, 'threads.execArgv must be an array of strings')
    }
    for (const execArgv of [[1], ['--no-warnings', null], [['--no-warnings']]]) {
      await refuses({ functions, threads: { execArgv } }, TypeError, 'threads.execArgv')
    }
    await refuses(
      { functions, threads: { execArgv: ['--no-such-option'] } },
      Error,
      'threads.execArgv',
      '--no-such-option',
    )
  })

  test('memory limits that are none', async () => {
    for (const resourceLimits of [null, 5, 'small', [], [64]]) {
      await refuses({ functions, threads: { resourceLimits } }, TypeError, 'threads.resourceLimits must be an object')
    }
    const unknown = { maxOldGenerationSizeMB: 64 }
    const known = 'maxOldGenerationSizeMb'
    await refuses({ functions, threads: { resourceLimits: unknown } }, TypeError, 'maxOldGenerationSizeMB', known)
    for (const limit of ['64', null, true, {}]) {
      const resourceLimits = { maxOldGenerationSizeMb: limit }
      await refuses({ functions, threads: { resourceLimits } }, TypeError, 'maxOldGenerationSizeMb must be a')
    }
  })

  test('memory limits with which V8 would end the process', async () => {
    const refusesLimits = (resourceLimits: Record<string, number>, right: string): Promise<void> =>
      refuses({ functions, threads: { resourceLimits } }, RangeError, Object.keys(resourceLimits).join(), right)
    await refusesLimits({ maxOldGenerationSizeMb: 2 }, 'at least 4 megabytes')
    await refusesLimits({ stackSizeMb: 0.1 }, 'at least 0.5 megabytes')
    await refusesLimits({ codeRangeSizeMb: 1e9 }, 'at most 4096 megabytes')
  })

  test('environments with which no thread starts', async () => {
    const env = { NODE_OPTIONS: '--no-such-option' }
    for (const min of [0, 1]) {
      await refuses({ functions, threads: { min, env } }, Error, 'threads.env', '--no-such-option')
    }
  })

  test('limits of calls that are wrong', async () => {
    await takesWholeNumber('queueLimit', 'of at least 0', [-1], (queueLimit) => ({ queueLimit }))
    await takesWholeNumber('retainLimit', 'of at least 0', [-1], (retainLimit) => ({ retainLimit }))
    await takesSpan('retain', (retain) => ({ retain }))
    await takesSpan('grace', (grace) => ({ grace }))
  })

  test('loggers that are none of pino', async () => {
    for (const logger of [null, true, 'debug', {}, { info() {} }, () => undefined]) {
      await refuses({ functions, logger }, TypeError, 'option "logger" must be a pino logger')
    }
    await refuses({ functions, logger: console }, TypeError, 'option "logger" must be a pino logger')
    const { debug, info, warn, error } = pino({ enabled: false })
    await refuses(
      { functions, logger: { debug, info, warn, error } },
      TypeError,
      'option "logger" must be a pino logger',
    )
  })

  test('handleSignals that is neither true nor false', async () => {
    for (const handleSignals of ['yes', 1, 0, null, ['SIGTERM']]) {
      await refuses({ functions, handleSignals }, TypeError, 'handleSignals must be true or false, got')
    }
    assert.equal(process.listenerCount('SIGTERM'), 0)
    assert.equal(process.listenerCount('SIGINT'), 0)
  })
})

test('options of a function that the module does not export are told by ready and by each call', async (t) => {
  const runner = createRunner({ functions, define: { subtract: { priority: 1 } }, threads: { max: 1 } })
  t.after(() => runner.close())
  const parts = ['option "define" has subtract', 'it exports about, aboutSync, add']
  const [ready, call] = await Promise.allSettled([runner.ready(), runner.call('add', [1, 2])])
  for (const answer of [ready, call]) {
    assert.ok(answer.status === 'rejected' && answer.reason instanceof CallError)
    assert.equal(answer.reason.code, 'SPAWN_FAILED')
    for (const part of parts) assert.ok(answer.reason.message.includes(part), answer.reason.message)
  }
})

test('options that are left out as undefined are left out', async (t) => {
  const left = {
    queueLimit: undefined,
    retain: undefined,
    grace: undefined,
    logger: undefined,
    handleSignals: undefined,
  }
  const also = { define: { add: undefined }, threads: { max: undefined, min: undefined, env: undefined } }
  const runner = createRunner({ functions, ...left, ...also } as unknown as RunnerOptions)
  t.after(() => runner.close())
  const none = {
    timeout: undefined,
    signal: undefined,
    transfer: undefined,
    idempotencyKey: undefined,
    priority: undefined,
  }
  assert.deepEqual(await runner.start('add', [1, 2], none as object), { finished: true, ok: true, value: 3 })
  assert.deepEqual(await runner.list({ state: undefined, cursor: undefined } as object), { calls: [] })
})
