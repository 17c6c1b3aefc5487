// A node in a process of its own. It tells its address, and what it holds of its heap whenever it is asked.
import { serve } from '../../../../src/http.ts'
import { createRunner } from '../../../../src/index.ts'
import { CALLS, type Calls } from '../../../suites/place.ts'

const runner = createRunner<Calls>({ functions: CALLS, threads: { max: 2 } })
await runner.ready()
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
  // The first time finds out which finalizers are to run.
  for (let i = 0; i < 3; i++) globalThis.gc?.()
  process.send?.({ heap: process.memoryUsage().heapUsed, rss: process.memoryUsage().rss })
})
process.send?.(served.url)
