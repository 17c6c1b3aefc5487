import type { Contender, FunctionName } from './contender.ts'

/** What Piscina and tinypool, which comes from it, have in common. */
interface AbortablePool {
  run(
    argument: unknown,
    options: { name: string; transferList?: ArrayBuffer[]; signal?: AbortSignal },
  ): Promise<unknown>
  destroy(): Promise<void>
}

/** A contender over a pool whose calls can be ended by a signal. */
export function overPool(pool: AbortablePool): Contender {
  return {
    call: (fn, argument, transfer) => pool.run(argument, { name: fn, ...(transfer && { transferList: transfer }) }),
    begin(fn: FunctionName, argument) {
      const controller = new AbortController()
      return { ended: pool.run(argument, { name: fn, signal: controller.signal }), abort: () => controller.abort() }
    },
    close: () => pool.destroy(),
  }
}
