import type { LaneTask } from '../protocol/messages.ts' with { 'resolution-mode': 'import' }

// What Piscina's threads begin with. Piscina asks for it by `require`, so it is no ES module: Node 22 ends the whole
// process when a thread is ended while it instantiates one that was required, and threads are ended at any time.

async function serve(task: LaneTask): Promise<void> {
  const thread = await import('./thread.ts')
  await thread.serve(task)
}

module.exports = { serve }
