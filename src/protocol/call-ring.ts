import { SlotRing } from './slot-ring.ts'
import { SmallValues } from './small-values.ts'

/** Bytes of a slot: flags, number of arguments, number of the function, `abortAfter`, and the arguments. */
const SLOT_BYTES = 512
const FLAGS = 0
const COUNT = 1
const FUNCTION = 2
const ABORT_AFTER = 4
const ARGS = ABORT_AFTER + Float64Array.BYTES_PER_ELEMENT

const MOST_ARGS = 255
const MOST_FUNCTIONS = 65_536

/** Bytes after the last slot: what is read of a call that was taken back may seem to go on there. */
const MARGIN = 16

/** A call may be taken back, and its slot be given out again, before the thread has come to its entry. */
const ENTRIES_PER_SLOT = 2

/** A call as the thread finds it. `fn` is the function's number among those of the module. */
export interface CallInRing {
  slot: number
  generation: number
  flags: number
  fn: number
  args: readonly unknown[]
  abortAfter: number
}

/**
 * Calls on their way to a thread through shared memory: those whose arguments are few, small and plain. To write one here costs a
 * fraction of a message.
 */
export class CallRing {
  readonly #ring: SlotRing
  readonly #values: SmallValues
  readonly #view: DataView

  /** @param slots a power of 2. */
  constructor(buffer: SharedArrayBuffer, offset: number, slots: number) {
    this.#ring = new SlotRing(buffer, offset, ENTRIES_PER_SLOT * slots)
    const shelf = offset + SlotRing.bytesFor(ENTRIES_PER_SLOT * slots)
    this.#values = new SmallValues(buffer, shelf, slots * SLOT_BYTES + MARGIN)
    this.#view = new DataView(buffer, shelf, slots * SLOT_BYTES)
  }

  static bytesFor(slots: number): number {
    return SlotRing.bytesFor(ENTRIES_PER_SLOT * slots) + slots * SLOT_BYTES + MARGIN
  }

  /** Calls that were put in: a counter of 32 bits. */
  get sent(): number {
    return this.#ring.tail
  }

  /** Those of them that were taken out; counts as `sent` does. */
  get taken(): number {
    return this.#ring.head
  }

  /** False when there is no room, or the arguments do not fit: the call has to go in a message. */
  put({ slot, generation, flags, fn, args, abortAfter }: Readonly<CallInRing>): boolean {
    if (args.length > MOST_ARGS || fn >= MOST_FUNCTIONS || this.#ring.isFull) return false
    const begin = slot * SLOT_BYTES
    if (this.#values.write(args, begin + ARGS, begin + SLOT_BYTES) === 0) return false
    this.#view.setUint8(begin + FLAGS, flags)
    this.#view.setUint8(begin + COUNT, args.length)
    this.#view.setUint16(begin + FUNCTION, fn)
    this.#view.setFloat64(begin + ABORT_AFTER, abortAfter)
    this.#ring.push(slot, generation)
    return true
  }

  /**
   * Takes the next call; undefined when there is none.
   *
   * Of a call that was taken back meanwhile it may be anything: it cannot be claimed any more.
   */
  take(): CallInRing | undefined {
    if (!this.#ring.take()) return undefined
    const { slot, generation } = this.#ring
    const begin = slot * SLOT_BYTES
    const limit = begin + SLOT_BYTES
    const args: unknown[] = []
    const count = this.#view.getUint8(begin + COUNT)
    for (let at = begin + ARGS; args.length < count && at < limit; at = this.#values.end) {
      args.push(this.#values.read(at, limit))
    }
    return {
      slot,
      generation,
      flags: this.#view.getUint8(begin + FLAGS),
      fn: this.#view.getUint16(begin + FUNCTION),
      args,
      abortAfter: this.#view.getFloat64(begin + ABORT_AFTER),
    }
  }
}
