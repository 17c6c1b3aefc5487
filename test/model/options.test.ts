import { deepEqual, equal, throws } from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import { defaultFunctionOptions, resolveOptions, type RunnerOptions } from '../../src/model/options.ts'

const functions = new URL('../fixtures/basic.ts', import.meta.url)

/** Resolves options that need not be of the right type. */
function resolve(options: Record<string, unknown>): ReturnType<typeof resolveOptions> {
  return resolveOptions({ functions, ...options } as RunnerOptions)
}

test('every default is filled in', () => {
  const { logger, ...rest } = resolveOptions({ functions })
  deepEqual(rest, {
    functions,
    define: new Map(),
    threads: {
      min: 1,
      max: availableParallelism(),
      concurrency: 1,
      idleTimeout: 10_000,
      resourceLimits: undefined,
      env: undefined,
      execArgv: undefined,
    },
    queueLimit: 10_000,
    retain: 600_000,
    retainLimit: 10_000,
    grace: 1_000,
    handleSignals: false,
  })
  equal(logger.isLevelEnabled('fatal'), false)
})

test('an option that is given as undefined has its default', () => {
  const keys = ['define', 'threads', 'queueLimit', 'retain', 'retainLimit', 'grace', 'handleSignals', 'logger']
  const { logger: _, ...given } = resolve(Object.fromEntries(keys.map((key) => [key, undefined])))
  const { logger: __, ...leftOut } = resolveOptions({ functions })
  deepEqual(given, leftOut)
})

test('what is given goes before the defaults', () => {
  const logger = pino({ level: 'silent' })
  const threads = {
    min: 2,
    max: 3,
    concurrency: 4,
    idleTimeout: Infinity,
    resourceLimits: { maxOldGenerationSizeMb: 64 },
    env: { A: 'b' },
    execArgv: ['--no-warnings'],
  }
  const given = { threads, queueLimit: 0, retain: 1.2, retainLimit: 0, grace: 0, handleSignals: true, logger }
  deepEqual(resolve(given), { functions, define: new Map(), ...given, retain: 2 })
})

test('the functions of a module are told by a file URL or an absolute path, in any of three ways', () => {
  const path = fileURLToPath(functions)
  for (const given of [functions, functions.href, path])
    equal(resolve({ functions: given }).functions.href, functions.href)
})

test('without a functions module there is no runner', () => {
  throws(() => resolveOptions({} as RunnerOptions), {
    name: 'TypeError',
    message: /^option "functions" is missing: it must be /,
  })
  for (const given of [
    './functions.js',
    'functions.js',
    '',
    'https://host/functions.js',
    new URL('data:text/javascript,1'),
    5,
    {},
    null,
  ]) {
    throws(() => resolve({ functions: given }), { name: 'TypeError', message: /^option "functions" must be .*; got / })
  }
})

test('a functions module that is not there is named', () => {
  const path = join(import.meta.dirname, 'no-such-module.js')
  throws(
    () => resolve({ functions: path }),
    (error: Error) => error.message.includes(path),
  )
})

test("a function's options have the runner's as their defaults", () => {
  const { define } = resolve({
    retain: 7,
    grace: 8,
    define: { a: {}, b: { retain: 1, grace: 0, abortAfter: 2.5, priority: -100 }, c: undefined },
  })
  deepEqual(
    define,
    new Map([
      ['a', { abortAfter: Infinity, grace: 8, retain: 7, priority: 0 }],
      ['b', { abortAfter: 3, grace: 0, retain: 1, priority: -100 }],
    ]),
  )
  deepEqual(defaultFunctionOptions({ retain: 7, grace: 8 }), define.get('a'))
})

test('threads are one at least, unless none is asked for, and never more at first than at most', () => {
  equal(resolve({ threads: { max: 1 } }).threads.min, 1)
  deepEqual(pick(resolve({ threads: { min: 0, max: 1 } }).threads), { min: 0, max: 1 })
  deepEqual(pick(resolve({ threads: { min: 3, max: 3 } }).threads), { min: 3, max: 3 })
  throws(() => resolve({ threads: { min: 4, max: 3 } }), {
    name: 'RangeError',
    message: /^threads\.min must be at most threads\.max \(3\), got 4$/,
  })
  const many = availableParallelism() + 1
  deepEqual(pick(resolve({ threads: { min: many } }).threads), { min: many, max: many })
})

const WRONG: [options: Record<string, unknown>, name: string, message: RegExp][] = [
  [{ nope: 1 }, 'TypeError', /has no option "nope"; its options are functions, define/],
  [{ commands: {} }, 'TypeError', /^option "commands" is not there yet/],
  [{ processes: { max: 1 } }, 'TypeError', /^option "processes" is not there yet/],
  [{ queueLimit: -1 }, 'RangeError', /^queueLimit must be a whole number of at least 0, got -1$/],
  [{ queueLimit: 1.5 }, 'RangeError', /^queueLimit must be a whole number/],
  [{ queueLimit: '10' }, 'TypeError', /^queueLimit must be a whole number, got '10'$/],
  [{ retainLimit: NaN }, 'RangeError', /^retainLimit must be a whole number/],
  [{ retain: -1 }, 'RangeError', /^retain must be 0 or more milliseconds/],
  [{ retain: '1' }, 'TypeError', /^retain must be a number of milliseconds, got '1'$/],
  [{ grace: NaN }, 'RangeError', /^grace must be 0 or more/],
  [{ handleSignals: 1 }, 'TypeError', /^handleSignals must be true or false, got 1$/],
  [{ logger: console.log }, 'TypeError', /^option "logger" must be a pino logger; got \[Function/],
  [{ logger: {} }, 'TypeError', /^option "logger" must be a pino logger; got \{\}, which has no method "trace"$/],
  [{ threads: 4 }, 'TypeError', /^threads must be an object, got 4$/],
  [{ threads: [4] }, 'TypeError', /^threads must be an object/],
  [{ threads: { count: 4 } }, 'TypeError', /^threads has no option "count"; its options are min, max/],
  [{ threads: { max: 0 } }, 'RangeError', /^threads\.max must be a whole number of at least 1, got 0$/],
  [{ threads: { max: Infinity } }, 'RangeError', /^threads\.max must be a whole number/],
  [{ threads: { min: -1 } }, 'RangeError', /^threads\.min must be a whole number of at least 0/],
  [{ threads: { concurrency: 0 } }, 'RangeError', /^threads\.concurrency must be a whole number from 1 to 512, got 0$/],
  [{ threads: { concurrency: 513 } }, 'RangeError', /^threads\.concurrency must be a whole number from 1 to 512/],
  [{ threads: { idleTimeout: -1 } }, 'RangeError', /^threads\.idleTimeout must be 0 or more/],
  [{ threads: { resourceLimits: 64 } }, 'TypeError', /^threads\.resourceLimits must be an object, got 64$/],
  [{ threads: { env: 'A=b' } }, 'TypeError', /^threads\.env must be an object/],
  [{ threads: { execArgv: '--inspect' } }, 'TypeError', /^threads\.execArgv must be an array of strings/],
  [{ define: 'all' }, 'TypeError', /^option "define" must be an object/],
  [{ define: { add: 5 } }, 'TypeError', /^define\.add must be an object, got 5$/],
  [{ define: { add: { retries: 3 } } }, 'TypeError', /^define\.add has no option "retries"/],
  [{ define: { add: { isolation: 'process' } } }, 'TypeError', /^define\.add\.isolation 'process' is not there yet/],
  [{ define: { add: { isolation: 'vm' } } }, 'TypeError', /^define\.add\.isolation must be 'thread', got 'vm'$/],
  [{ define: { add: { abortAfter: 0 } } }, 'RangeError', /^define\.add\.abortAfter must be more than 0/],
  [{ define: { add: { grace: -1 } } }, 'RangeError', /^define\.add\.grace must be 0 or more/],
  [{ define: { add: { retain: NaN } } }, 'RangeError', /^define\.add\.retain must be 0 or more/],
  [
    { define: { add: { priority: 101 } } },
    'RangeError',
    /^define\.add\.priority must be a whole number from -100 to 100, got 101$/,
  ],
  [{ define: { add: { priority: 0.5 } } }, 'RangeError', /^define\.add\.priority must be a whole number/],
]

test('every wrong option is refused with what was wrong and what would be right', () => {
  for (const [options, name, message] of WRONG) throws(() => resolve(options), { name, message })
  for (const options of [null, 5, 'functions.js', [functions]]) {
    throws(() => resolveOptions(options as unknown as RunnerOptions), {
      name: 'TypeError',
      message: /^createRunner options must be an object/,
    })
  }
})

function pick({ min, max }: { min: number; max: number }): { min: number; max: number } {
  return { min, max }
}
