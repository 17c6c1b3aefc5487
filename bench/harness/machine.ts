import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'

/** Where, and with what, figures were measured. */
export interface Machine {
  date: string
  node: string
  v8: string
  system: string
  processor: string
  processors: number
  /** Bytes. */
  memory: number
  /** Of what is measured, with `+` if files were changed since; `unknown` outside a checkout. */
  commit: string
  /** Of the packages that take part. */
  versions: Record<string, string>
}

const PACKAGES = ['piscina', 'tinypool', 'workerpool', 'poolifier', 'jest-worker', 'tinybench']

export function describeMachine(): Machine {
  return {
    date: new Date().toISOString(),
    node: process.version,
    v8: process.versions.v8,
    system: `${process.platform} ${release()} ${process.arch}`,
    processor: cpus()[0]?.model ?? 'unknown',
    processors: cpus().length,
    memory: totalmem(),
    commit: commit(),
    versions: Object.fromEntries(PACKAGES.map((name) => [name, versionOf(name)])),
  }
}

function versionOf(name: string): string {
  const url = new URL(`../../node_modules/${name}/package.json`, import.meta.url)
  return (JSON.parse(readFileSync(url, 'utf8')) as { version: string }).version
}

function commit(): string {
  try {
    return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain', '--untracked-files=no') && '+')
  } catch {
    return 'unknown'
  }
}

function git(...args: string[]): string {
  return execFileSync('git', args, {
    cwd: import.meta.dirname,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim()
}
