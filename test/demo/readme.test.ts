import { deepEqual, equal } from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'

// Every js and ts sample of the README is run. One that begins with a comment such as `// main.js` is that file, beside
// those before it; any other has a `runner` for the functions of the first sample.

interface Sample {
  language: string
  code: string
  line: number
}

const run = promisify(execFile)
const root = join(import.meta.dirname, '..', '..')
const readme = await readFile(join(root, 'README.md'), 'utf8')
const samples = readSamples(readme)
const programs = samples.filter(isCode).filter((sample) => !isModule(sample))
let folder: string

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'coatcheck-readme-'))
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  await installFromSource(join(folder, 'node_modules', 'coatcheck'))
  for (const sample of samples.filter(isModule)) await writeFile(join(folder, fileOf(sample)), sample.code)
})

after(() => rm(folder, { recursive: true, force: true }))

suite('every sample of the README runs', { concurrency: 2 }, () => {
  for (const sample of programs) {
    test(`the one on line ${sample.line}`, async () => {
      await output(sample)
    })
  }
})

test('the first example of the README prints what the README says', async () => {
  const example = samples.find((sample) => fileOf(sample) === 'main.js') as Sample
  const said = samples.find(({ language }) => language === 'text') as Sample
  // How often it waits is the machine's to say; the ID differs each time.
  const seen = new Set((await output(example)).replaceAll(/\d+:\d+:[\d.]+:[0-9a-f]+/g, 'ID').split('\n'))
  deepEqual([...seen], said.code.replace(/\d+:\d+:[\d.]+:[0-9a-f]+/, 'ID').split('\n'))
})

test('the README names the commands that there are', async () => {
  const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { scripts: object }
  const [, start, check] = /^npm ci && npm (\w+)\nnpm ci && npm (\w+)$/m.exec(readme) ?? []
  equal(start !== undefined && start in scripts, true)
  equal(check !== undefined && check in scripts, true)
})

function readSamples(text: string): Sample[] {
  return [...text.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].map(({ 1: language = '', 2: code = '', index }) => ({
    language,
    code,
    line: text.slice(0, index).split('\n').length,
  }))
}

function isCode({ language }: Sample): boolean {
  return language === 'js' || language === 'ts'
}

function isModule(sample: Sample): boolean {
  const file = fileOf(sample)
  return file !== '' && !file.startsWith('main.')
}

/** The file that a sample says it is. */
function fileOf({ code }: Sample): string {
  return /^\/\/ (\S+\.[jt]s)\n/.exec(code)?.[1] ?? ''
}

async function output(sample: Sample): Promise<string> {
  const { language, line } = sample
  const program = join(folder, `line-${line}.${language}`)
  await writeFile(program, programOf(sample))
  const { stdout } = await run(process.execPath, [program], { timeout: 60_000, env: { ...process.env, PORT: '0' } })
  return stdout
}

function programOf({ code }: Sample): string {
  if (code.includes("from 'coatcheck'")) return code
  return `
    import { createRunner } from 'coatcheck'
    const runner = createRunner({ functions: new URL('./functions.js', import.meta.url) })
    await runner.ready()
    ${code}
    await runner.close({ abort: true })
  `
}

/** Puts a package in place whose entries are those of `src`: the samples import it by its name. */
async function installFromSource(target: string): Promise<void> {
  const from = (entry: string): string => pathToFileURL(join(root, 'src', entry)).href
  const own = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { exports: Record<string, unknown> }
  const names = Object.keys(own.exports).filter((name) => name !== './package.json')
  const entries = names.map((name) => [name, name === '.' ? 'index' : name.slice(2)] as const)
  const exports = Object.fromEntries(entries.map(([name, entry]) => [name, `./${entry}.js`]))
  await mkdir(target, { recursive: true })
  await writeFile(join(target, 'package.json'), JSON.stringify({ type: 'module', exports }))
  for (const [, entry] of entries) {
    await writeFile(join(target, `${entry}.js`), `export * from '${from(`${entry}.ts`)}'`)
  }
}
