import type { Clock, Timer } from '../../../model/clock.ts'
import type { CallEvent, RunnerEvents } from '../../../model/events.ts'
import type { Runner } from '../../../model/runner.ts'
import type { EventName } from '../../wire/events.ts'
import type { Ledger, Owned } from '../ledger.ts'
import { Channel } from './channel.ts'

const OF_CALLS = ['queued', 'started', 'progress', 'finished', 'expired'] as const
const OF_RUNNER = ['drain', 'idle'] as const

/** Those that a stream of one call tells. */
const OF_ONE_CALL: ReadonlySet<EventName> = new Set(['started', 'progress', 'finished'])

/** Milliseconds that a channel without a listener is kept, so that one whose connection broke misses nothing. */
const LINGER = 30_000
const MOST_LINGERING = 1_000

/** An event that was heard and not passed on yet. */
interface Heard {
  name: EventName
  args: RunnerEvents[EventName]
  owned: Owned | undefined
}

/** Passes the runner's events on to those they concern. It listens to the runner only while somebody listens to it. */
export class EventHub {
  readonly #runner: Runner
  readonly #ledger: Ledger
  readonly #clock: Clock
  readonly #channels = new Map<string, Channel>()
  /** Those of them that nobody listens to, oldest first. */
  readonly #lingering = new Map<string, Timer>()
  #heard: Heard[] = []
  #stopListening: (() => void) | undefined

  constructor(runner: Runner, ledger: Ledger, clock: Clock) {
    this.#runner = runner
    this.#ledger = ledger
    this.#clock = clock
  }

  /** The channel of a call. It is kept until `leave`, and a while longer. */
  ofCall(id: string): Channel {
    return this.#channel(`call ${id}`)
  }

  /** The channel of all calls of a principal. */
  ofPrincipal(principal: string): Channel {
    return this.#channel(`of ${principal}`)
  }

  /** Nobody listens to the channel any more, perhaps. */
  leave(channel: Channel): void {
    if (channel.streams.size > 0) return
    for (const [key, each] of this.#channels) if (each === channel) this.#linger(key)
  }

  /** Ends all streams. */
  close(): void {
    for (const { streams } of this.#channels.values()) for (const stream of streams) stream.close()
    for (const key of this.#lingering.keys()) this.#drop(key)
  }

  #channel(key: string): Channel {
    this.#lingering.get(key)?.clear()
    this.#lingering.delete(key)
    let channel = this.#channels.get(key)
    if (!channel) {
      channel = new Channel()
      this.#channels.set(key, channel)
    }
    this.#stopListening ??= this.#listen()
    return channel
  }

  #linger(key: string): void {
    if (this.#lingering.has(key)) return
    this.#lingering.set(
      key,
      this.#clock.setTimeout(() => this.#drop(key), LINGER, { ref: false }),
    )
    const [oldest] = this.#lingering.keys()
    if (this.#lingering.size > MOST_LINGERING && oldest !== undefined) this.#drop(oldest)
  }

  #drop(key: string): void {
    this.#lingering.get(key)?.clear()
    this.#lingering.delete(key)
    this.#channels.delete(key)
    if (this.#channels.size > 0) return
    this.#stopListening?.()
    this.#stopListening = undefined
  }

  #listen(): () => void {
    const runner = this.#runner
    const listeners = [...OF_CALLS, ...OF_RUNNER].map((name) => {
      const listener = (...args: RunnerEvents[EventName]): void => this.#hear(name, args)
      runner.on(name, listener)
      return (): Runner => runner.off(name, listener)
    })
    return () => {
      for (const stop of listeners) stop()
    }
  }

  #hear(name: EventName, args: RunnerEvents[EventName]): void {
    const [event] = args as [CallEvent?]
    // A call that is dropped is in the ledger for the last time; one that was just admitted is not in it yet.
    this.#heard.push({ name, args, owned: event && this.#ledger.get(event.id) })
    if (this.#heard.length === 1) setImmediate(() => this.#passOn())
  }

  #passOn(): void {
    const heard = this.#heard
    this.#heard = []
    for (const { name, args, owned } of heard) {
      const [event] = args as [CallEvent?]
      if (event) this.#passOnOfCall(name, args, event, owned ?? this.#ledger.get(event.id))
      else for (const [key, channel] of this.#channels) if (key.startsWith('of ')) channel.send(name, args)
    }
  }

  #passOnOfCall(name: EventName, args: RunnerEvents[EventName], { id }: CallEvent, owned: Owned | undefined): void {
    if (!owned) return
    this.#channels.get(`of ${owned.principal}`)?.send(name, args)
    if (OF_ONE_CALL.has(name)) this.#channels.get(`call ${id}`)?.send(name, args)
  }
}
