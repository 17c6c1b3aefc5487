import { createHash } from 'node:crypto'
import type { Redis } from 'ioredis'
import { SCRIPTS, sourceOf, type ScriptName } from './scripts.ts'

const HASHES = new Map<ScriptName, string>()
for (const name of Object.keys(SCRIPTS) as ScriptName[]) {
  HASHES.set(name, createHash('sha1').update(sourceOf(name)).digest('hex'))
}

/** Runs the scripts of one queue on one connection, in the order in which they are asked for. */
export class ScriptRunner {
  readonly #client: Redis
  readonly #base: string

  /** @param base what the keys of the queue begin with. */
  constructor(client: Redis, base: string) {
    this.#client = client
    this.#base = base
  }

  /** Tells Redis the scripts. Without it each would be sent in full once, and out of its order. */
  async load(): Promise<void> {
    await Promise.all([...HASHES.keys()].map((name) => this.#client.script('LOAD', sourceOf(name))))
  }

  async run(name: ScriptName, ...args: (string | number)[]): Promise<unknown> {
    try {
      return await this.#client.evalsha(HASHES.get(name) as string, 1, this.#base, ...args)
    } catch (error) {
      // Redis was restarted.
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error
      return this.#client.eval(sourceOf(name), 1, this.#base, ...args)
    }
  }
}
