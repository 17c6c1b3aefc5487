import { readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { MARK } from '../protocol/spawner-messages.ts'
import { allProcesses } from './processes.ts'

/** Milliseconds between two sweeps: one looks at every process there is, for all who ask meanwhile. */
const SWEEP_EVERY = 20

/** How often as long as a sweep took the pause after it is, where there are so many processes that it takes long. */
const PAUSE_FACTOR = 4

/** Ends what has left its process group, found by the mark in its environment. Linux only: elsewhere it finds nothing. */
export class Sweeper {
  #asked = new Map<string, PromiseWithResolvers<void>>()
  #isSweeping = false

  /** Resolves when no process with the mark is left, but for those that start others faster than they are killed. */
  sweep(mark: string): Promise<void> {
    const asked = Promise.withResolvers<void>()
    this.#asked.set(mark, asked)
    if (!this.#isSweeping) void this.#sweep()
    return asked.promise
  }

  async #sweep(): Promise<void> {
    this.#isSweeping = true
    while (this.#asked.size > 0) {
      // One more turn for those that end together.
      await setTimeout(0)
      const asked = this.#asked
      this.#asked = new Map()
      let began = performance.now()
      for (let tries = 0; tries < TRIES; tries++) {
        const left = killMarked((mark) => asked.has(mark))
        if (left === 'none') break
        // For want of a file descriptor, say: it will see again.
        if (left === 'unknown') tries = 0
        await pauseAfter(began)
        began = performance.now()
      }
      for (const { resolve } of asked.values()) resolve()
      await pauseAfter(began)
    }
    this.#isSweeping = false
  }
}

function pauseAfter(began: number): Promise<void> {
  return setTimeout(Math.max(SWEEP_EVERY, PAUSE_FACTOR * (performance.now() - began)))
}

/** Sweeps after which what starts processes faster than they are killed is let be. */
const TRIES = 100

/** Looks of one sweep, as long as each finds what those before it did not. */
const ROUNDS = 20

/**
 * Kills the processes with such a mark, and those that they start meanwhile, and says what is left: `unknown` when it
 * cannot look.
 */
export function killMarked(matches: (mark: string) => boolean): 'none' | 'some' | 'unknown' {
  const killed = new Set<number>()
  for (let round = 0; round < ROUNDS; round++) {
    const before = killed.size
    let found = 0
    const pids = processes()
    if (pids === undefined) return 'unknown'
    for (const pid of pids) {
      if (pid === process.pid || !marksOf(pid).some(matches) || !kill(pid)) continue
      found += 1
      killed.add(pid)
    }
    if (found === 0) return 'none'
    // What was killed may need a while to end.
    if (killed.size === before) break
  }
  return 'some'
}

function processes(): number[] | undefined {
  try {
    return allProcesses()
  } catch {
    return undefined
  }
}

const PATTERN = new RegExp(`(?:^|\\0)${MARK}=([^\\0]*)`)

function marksOf(pid: number): string[] {
  try {
    return PATTERN.exec(readFileSync(`/proc/${pid}/environ`, 'latin1'))?.[1]?.split(' ') ?? []
  } catch {
    // It has ended, or is another user's.
    return []
  }
}

function kill(pid: number): boolean {
  try {
    process.kill(pid, 'SIGKILL')
    return true
  } catch {
    return false
  }
}
