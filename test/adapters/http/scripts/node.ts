// A node in a process of its own. It tells its address, and whenever it is asked how many waits it holds, or what memory.
import { serve } from '../../../../src/http.ts'
import { createRunner } from '../../../../src/index.ts'
import { CALLS, type Calls } from '../../../suites/place.ts'

const runner = createRunner<Calls>({ functions: CALLS, threads: { max: 2 } })
await runner.ready()
// Only a wait that is held, as one is after its first moments, has a signal.
let held = 0
const wait = runner.wait.bind(runner)
runner.wait = async (id, options) => {
  const isHeld = options?.signal !== undefined
  if (isHeld) held += 1
  try {
    return await wait(id, options)
  } finally {
    if (isHeld) held -= 1
  }
}
const served = await serve(runner, {
  functions: ['add', 'hold'],
  port: 0,
  limits: { rate: 1_000_000 },
})

process.on('message', (message) => {
  if (message === 'close') {
    process.disconnect()
    void served.close({ abort: true, grace: 0 })
    return
  }
  if (message === 'held') {
    process.send?.(held)
    return
  }
  // The first time finds out which finalizers are to run.
  for (let i = 0; i < 3; i++) globalThis.gc?.()
  process.send?.({ heap: process.memoryUsage().heapUsed, rss: process.memoryUsage().rss })
})
process.send?.(served.url)
