import { after, before, type TestContext } from 'node:test'
import type { Runner, RunnerOptions } from '../../src/index.ts'
import type * as calls from '../fixtures/calls.ts'
import { Signposts } from '../helpers/latch.ts'

export type Calls = typeof calls

/** What a place to run may lack. */
export interface Capabilities {
  /** `transfer` moves buffers: the caller's own are detached. */
  transfer: boolean
  /** A function that never comes back to its event loop can be ended. */
  killsBusyLoops: boolean
  /** What functions log comes out of the `logger` that the runner was made with. */
  functionLogs: boolean
  /** A function that uses up the memory it may have ends with `OUT_OF_MEMORY`. */
  memoryLimit: boolean
  /** Kept outcomes can be asked for after `close`. */
  answersAfterClose: boolean
  /** Once it is ready, also a `start` that does not wait is refused for a function that there is none of. False where only
   * the machines that run calls know their functions, which can be others on each. */
  knowsFunctions: boolean
  /** IDs are made on first need, so that they can tell where the call runs. False where an ID is how a call is handed in. */
  lateIds: boolean
  /** A functions module that cannot be loaded ends each call. False where calls wait for a machine that can run them. */
  servesUnloadable: boolean
  /** `stats` tells how long calls waited and ran, whoever started them. */
  callTimes: boolean
  /** A call costs microseconds, not milliseconds: tests of many calls take ten times as many. */
  quickCalls: boolean
}

/** What a test asks of the runner that is made for it. */
export interface PlaceOptions extends Pick<
  RunnerOptions<Calls>,
  'define' | 'grace' | 'logger' | 'queueLimit' | 'retain' | 'retainLimit'
> {
  /** Calls that can run at once. Default: 2. */
  atOnce?: number
  /** Whether these run side by side in one thread, where the place knows threads. Default: false. */
  inOneThread?: boolean
  /** Whether nothing may have run there before. Default: false. */
  isFresh?: boolean
  /** Megabytes that a function may use, with the capability `memoryLimit`. */
  memoryLimit?: number
  /** The functions module. Default: `CALLS`. */
  functions?: URL
}

/** A place to run, as its test describes it to the suite. */
export interface Place {
  capabilities: Capabilities
  create(options: PlaceOptions): Runner<Calls> | Promise<Runner<Calls>>
  /** Waits that have arrived where the calls run. Left out where that is the runner itself. */
  waitsHeld?(runner: Runner<Calls>): number
  /** Ends what stands behind a runner that was closed. */
  destroy?(runner: Runner<Calls>): Promise<void>
}

/** The functions that the runners of the suite run. */
export const CALLS = new URL('../fixtures/calls.ts', import.meta.url)

export interface SetUp {
  readonly runner: Runner<Calls>
  readonly posts: Signposts
}

interface Made extends SetUp {
  tearDown(): Promise<void>
}

/** The place with all that a test needs around it. */
export class Suite {
  readonly capabilities: Capabilities
  readonly #place: Place

  constructor(place: Place) {
    this.capabilities = place.capabilities
    this.#place = place
  }

  /** How many calls a test makes that would like to make that many. */
  many(count: number): number {
    return this.capabilities.quickCalls ? count : Math.ceil(count / 10)
  }

  /** How many waits for a runner's calls have arrived where those run. */
  async waitsHeld(runner: Runner<Calls>): Promise<number> {
    return this.#place.waitsHeld?.(runner) ?? (await runner.stats()).waits
  }

  /** A runner of the test's own. It is closed when the test ends, and its calls are aborted. */
  async setUp(t: TestContext, options: PlaceOptions = {}): Promise<SetUp> {
    const { runner, tearDown, posts } = await this.#make(options)
    t.after(tearDown)
    return { runner, posts }
  }

  /** A runner for all tests of a `describe`: for those that leave nothing behind. */
  shared(options: PlaceOptions = {}): SetUp {
    let made: Made | undefined
    before(async () => {
      made = await this.#make(options)
    })
    after(() => made?.tearDown())
    const present = (): SetUp => {
      if (!made) throw new Error('asked for before the tests began')
      return made
    }
    return {
      get runner() {
        return present().runner
      },
      get posts() {
        return present().posts
      },
    }
  }

  async #make(options: PlaceOptions): Promise<Made> {
    const runner = await this.#place.create(options)
    const posts = new Signposts()
    const tearDown = async (): Promise<void> => {
      await runner.close({ abort: true, grace: 0 })
      await this.#place.destroy?.(runner)
      posts.remove()
    }
    return { runner, posts, tearDown }
  }
}
