import { deepEqual, equal, match } from 'node:assert/strict'
import { exec, execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'

const run = promisify(exec)
const runFile = promisify(execFile)

const root = join(import.meta.dirname, '..', '..')
const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }
let app: string

before(async () => {
  app = await mkdtemp(join(tmpdir(), 'coatcheck-packed-'))
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(app, name), text)))
  await run(`npm pack --pack-destination "${app}"`, { cwd: root })
  await run('npm install --prefix . --prefer-offline --no-audit --no-fund ./coatcheck-*.tgz', { cwd: app })
})

after(() => rm(app, { recursive: true, force: true }))

test('the packed package holds its build and what tells about it, nothing else', async () => {
  const packed = await readdir(join(app, 'node_modules', 'coatcheck'))
  deepEqual(packed.toSorted(), ['CHANGELOG.md', 'LICENSE', 'README.md', 'dist', 'package.json'])
})

test('the packed package runs a call from a .js functions module', async () => {
  deepEqual(await callsThrough('./functions.js'), answers)
})

test('the packed package runs a call from a .ts functions module', async () => {
  deepEqual(await callsThrough('./functions.ts'), answers)
})

test('the packed package runs calls in processes, from .js and .ts functions modules', async () => {
  deepEqual(await callsThrough('./functions.js', 'program.js', 'process'), answers)
  deepEqual(await callsThrough('./functions.ts', 'program.js', 'process'), answers)
})

test('the packed package runs a call from a CommonJS program that requires it, and functions that do', async () => {
  deepEqual(await callsThrough('./functions.cjs', 'program.cjs'), answers)
})

test('the packed program runs without the packages that others install for it, and names them where it needs them', async () => {
  equal((await runProgram('--version')).stdout, `${version}\n`)
  match((await runProgram('--help')).stdout, /^coatcheck: /)
  const serving = await runProgram('serve', './functions.js')
  equal(serving.status, 1)
  match(serving.stderr, /^coatcheck: .* not installed: npm install fastify .*\n$/)
  const calling = await runProgram('call', 'http://127.0.0.1:1811', 'add')
  equal(calling.status, 1)
  match(calling.stderr, /^coatcheck: .* not installed: npm install undici .*\n$/)
})

test('the packed program shows its demo', async () => {
  const { status, stdout } = await runProgram('demo')
  equal(status, 0)
  match(stdout, /1\. A call that ends in time[^]*That was all/)
})

async function runProgram(...written: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const { bin } = JSON.parse(await readFile(join(app, 'node_modules', 'coatcheck', 'package.json'), 'utf8')) as {
    bin: { coatcheck: string }
  }
  const args = [join(app, 'node_modules', 'coatcheck', bin.coatcheck), ...written]
  try {
    return { status: 0, ...(await runFile(process.execPath, args, { cwd: app, timeout: 60_000 })) }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
    return { status: code, stdout, stderr }
  }
}

async function callsThrough(functions: string, program = 'program.js', isolation = 'thread'): Promise<unknown> {
  const { stdout } = await runFile(process.execPath, [program, functions, isolation], { cwd: app, timeout: 60_000 })
  return JSON.parse(stdout)
}

const answers = {
  sum: { finished: true, ok: true, value: 3 },
  name: { finished: true, ok: true, value: 'ownName' },
}

const files = {
  'package.json': '{ "type": "module" }',
  'program.js': `
    import { createRunner } from 'coatcheck'

    const [functions, isolation] = process.argv.slice(2)
    const runner = createRunner({ functions: new URL(functions, import.meta.url), isolation })
    const sum = await runner.start('add', [1, 2], { timeout: 10_000 })
    const name = await runner.start('ownName', [], { timeout: 10_000 })
    await runner.close()
    console.log(JSON.stringify({ sum, name }))
  `,
  'program.cjs': `
    const { pathToFileURL } = require('node:url')
    const { createRunner } = require('coatcheck')

    async function main() {
      const runner = createRunner({ functions: new URL(process.argv[2], pathToFileURL(__filename)) })
      const sum = await runner.start('add', [1, 2], { timeout: 10_000 })
      const name = await runner.start('ownName', [], { timeout: 10_000 })
      await runner.close()
      console.log(JSON.stringify({ sum, name }))
    }
    void main()
  `,
  'functions.cjs': `
    const { currentCall } = require('coatcheck/function')

    exports.add = (a, b) => a + b
    exports.ownName = () => currentCall().fn
  `,
  'functions.js': `
    import { currentCall } from 'coatcheck/function'

    export const add = (a, b) => a + b
    export const ownName = () => currentCall().fn
  `,
  'functions.ts': `
    import { currentCall } from 'coatcheck/function'

    export const add = (a: number, b: number): number => a + b
    export const ownName = (): string => currentCall().fn
  `,
}
