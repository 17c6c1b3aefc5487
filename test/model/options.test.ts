import { deepEqual, equal, ok, throws } from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import { resolveOptions, type RunnerOptions } from '../../src/model/options.ts'

const functions = new URL('../fixtures/basic.ts', import.meta.url)

/** Resolves options that need not be of the right type. */
function resolve(options: Record<string, unknown>): ReturnType<typeof resolveOptions> {
  return resolveOptions({ functions, ...options } as RunnerOptions)
}

test('every default is filled in', () => {
  deepEqual(resolveOptions({ functions }), {
    functions,
    define: new Map(),
    commands: new Map(),
    others: {
      isolation: 'thread',
      process: undefined,
      abortAfter: Infinity,
      grace: 1_000,
      retain: 600_000,
      priority: 0,
    },
    processes: { max: 2 * availableParallelism(), spares: 1, startTimeout: 30_000, resultLimit: 67_108_864 },
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
    logger: undefined,
    handleSignals: false,
  })
})

test('an option that is given as undefined has its default', () => {
  const keys = ['define', 'threads', 'queueLimit', 'retain', 'retainLimit', 'grace', 'handleSignals', 'logger']
  const given = resolve(Object.fromEntries(keys.map((key) => [key, undefined])))
  deepEqual(given, resolveOptions({ functions }))
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
  const { functions: _, define, commands, others, processes: __, ...resolved } = resolve(given)
  deepEqual(resolved, { ...given, retain: 2 })
  deepEqual([define.size, commands.size, others.grace, others.retain], [0, 0, 0, 2])
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

const onThreads = { isolation: 'thread', process: undefined } as const

test("a function's options have the runner's as their defaults", () => {
  const { define, others } = resolve({
    retain: 7,
    grace: 8,
    define: { a: {}, b: { retain: 1, grace: 0, abortAfter: 2.5, priority: -100 }, c: undefined },
  })
  deepEqual(
    define,
    new Map([
      ['a', { ...onThreads, abortAfter: Infinity, grace: 8, retain: 7, priority: 0 }],
      ['b', { ...onThreads, abortAfter: 3, grace: 0, retain: 1, priority: -100 }],
    ]),
  )
  deepEqual(others, define.get('a'))
})

test('functions whose processes are made alike have the same kind, and others have another', () => {
  const isolated = (options: object): object => ({ isolation: 'process', ...options })
  const { define, others } = resolve({
    define: {
      a: isolated({ memory: 1e9 }),
      b: isolated({ memory: 1e9, grace: 5 }),
      c: isolated({ memory: 2e9 }),
      d: {},
    },
    isolation: 'process',
  })
  equal(define.get('a')?.process, define.get('b')?.process)
  ok(define.get('a')?.process !== define.get('c')?.process)
  equal(define.get('d')?.process, others.process)
})

test('a process has PATH, TZ and LANG in its environment, and what it is given', () => {
  const { define } = resolve({ define: { a: { isolation: 'process', env: { MODE: 'test', LANG: 'C' } } } })
  const { PATH, TZ } = process.env
  const inherited = { ...(PATH !== undefined && { PATH }), ...(TZ !== undefined && { TZ }) }
  deepEqual(define.get('a')?.process?.env, { ...inherited, LANG: 'C', MODE: 'test' })
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

function ofProcess(options: object): Record<string, unknown> {
  return { define: { add: { isolation: 'process', ...options } } }
}

const WRONG: [options: Record<string, unknown>, name: string, message: RegExp][] = [
  [{ nope: 1 }, 'TypeError', /has no option "nope"; its options are functions, define/],
  [{ isolation: 'vm' }, 'TypeError', /^option "isolation" must be 'thread' or 'process', got 'vm'$/],
  [{ processes: 8 }, 'TypeError', /^processes must be an object, got 8$/],
  [{ processes: { min: 1 } }, 'TypeError', /^processes has no option "min"; its options are max, spares/],
  [{ processes: { max: 0 } }, 'RangeError', /^processes\.max must be a whole number of at least 1, got 0$/],
  [{ processes: { spares: -1 } }, 'RangeError', /^processes\.spares must be a whole number of at least 0/],
  [{ processes: { startTimeout: 0 } }, 'RangeError', /^processes\.startTimeout must be more than 0/],
  [{ processes: { resultLimit: 0.5 } }, 'RangeError', /^processes\.resultLimit must be a whole number/],
  [{ processes: { resultLimit: 2 ** 32 } }, 'RangeError', /^processes\.resultLimit must be .* from 1 to 2000000000/],
  [{ commands: [] }, 'TypeError', /^option "commands" must be an object/],
  [{ commands: { b: {} } }, 'TypeError', /^commands\.b\.command must be an array of strings/],
  [
    { commands: { b: { command: [] } } },
    'TypeError',
    /^commands\.b\.command must be \[program, \.\.\.args\], got \[\]$/,
  ],
  [{ commands: { b: { command: ['a'], input: 'yaml' } } }, 'TypeError', /^commands\.b\.input must be 'json' or 'none'/],
  [
    { commands: { b: { command: ['a'], output: 'xml' } } },
    'TypeError',
    /^commands\.b\.output must be 'json' or 'text'/,
  ],
  [{ commands: { b: { command: ['a'], reuse: 2 } } }, 'TypeError', /^commands\.b has no option "reuse"/],
  [
    { commands: { add: { command: ['a'] } }, define: { add: {} } },
    'TypeError',
    /^commands\.add stands in "define" too/,
  ],
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
  [{ define: { add: { isolation: 'vm' } } }, 'TypeError', /^define\.add\.isolation must be 'thread' or 'process', got/],
  [{ define: { add: { memory: 1e9 } } }, 'TypeError', /^define\.add\.memory is for a process: it needs isolation/],
  [ofProcess({ memory: 1_000 }), 'RangeError', /^define\.add\.memory must be a whole number of at least 134217728/],
  [ofProcess({ cpuTime: Infinity }), 'RangeError', /^define\.add\.cpuTime must be a number of milliseconds/],
  [ofProcess({ cpuTime: 0 }), 'RangeError', /^define\.add\.cpuTime must be more than 0/],
  [ofProcess({ openFiles: 0 }), 'RangeError', /^define\.add\.openFiles must be a whole number of at least 1/],
  [ofProcess({ fileSize: -1 }), 'RangeError', /^define\.add\.fileSize must be a whole number of at least 0/],
  [ofProcess({ uid: 'www-data' }), 'TypeError', /^define\.add\.uid must be a whole number/],
  [ofProcess({ cwd: '/nowhere/at/all' }), 'Error', /^define\.add\.cwd must be a folder that exists/],
  [ofProcess({ env: { A: 5 } }), 'TypeError', /^define\.add\.env\.A must be a string, got 5$/],
  [
    ofProcess({ env: { LD_PRELOAD: 'x.so' } }),
    'TypeError',
    /^define\.add\.env\.LD_PRELOAD is not passed on to a process$/,
  ],
  [
    ofProcess({ env: { NODE_OPTIONS: '-r x' } }),
    'TypeError',
    /NODE_OPTIONS is not passed on to a process: use execArgv$/,
  ],
  [ofProcess({ execArgv: '-r' }), 'TypeError', /^define\.add\.execArgv must be an array of strings/],
  [ofProcess({ permissions: 'all' }), 'TypeError', /^define\.add\.permissions must be an object/],
  [ofProcess({ permissions: { reads: [] } }), 'TypeError', /^define\.add\.permissions has no option "reads"/],
  [ofProcess({ permissions: { net: 1 } }), 'TypeError', /^define\.add\.permissions\.net must be true or false/],
  [ofProcess({ reuse: 0 }), 'RangeError', /^define\.add\.reuse must be a whole number of at least 1/],
  [
    ofProcess({ resultLimit: 0 }),
    'RangeError',
    /^define\.add\.resultLimit must be a whole number from 1 to 2000000000/,
  ],
  [
    ofProcess({ resultLimit: 2_000_000_001 }),
    'RangeError',
    /^define\.add\.resultLimit must be .* from 1 to 2000000000/,
  ],
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
