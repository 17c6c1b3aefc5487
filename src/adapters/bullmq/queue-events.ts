import { QueueEvents } from 'bullmq'
import type { ResolvedAddress } from './options.ts'
import { loopOptions } from './redis.ts'

/** What the event stream of a queue tells. Hints: the stream can be trimmed before it is read. */
export interface QueueListener {
  returned(jobId: string, returned: unknown): void
  failed(jobId: string): void
  begun(jobId: string, startedAt: number): void
  progressed(jobId: string, progress: unknown): void
  /** Events are not read at the moment. */
  failing(error: Error): void
}

/** Events of ours, beside those of BullMQ. */
declare module 'bullmq' {
  interface QueueEventsListener {
    'coatcheck-begun': (event: { jobId: string; startedAt: string }, id: string) => void
  }
}

/**
 * Reads the event stream of a queue.
 *
 * @param after the ID of the last event that is not news. Without one, BullMQ loses what comes before its first read and
 * between two reads that found nothing.
 */
export function readQueueEvents(address: ResolvedAddress, after: string, listener: QueueListener): QueueEvents {
  const events = new QueueEvents(address.queue, {
    connection: loopOptions(address),
    prefix: address.prefix,
    lastEventId: after,
    skipVersionCheck: true,
  })
  events.on('completed', ({ jobId, returnvalue }) => listener.returned(jobId, returnvalue))
  events.on('failed', ({ jobId }) => listener.failed(jobId))
  events.on('progress', ({ jobId, data }) => listener.progressed(jobId, data))
  events.on('coatcheck-begun', ({ jobId, startedAt }) => listener.begun(jobId, Number(startedAt)))
  events.on('error', (error) => listener.failing(error))
  return events
}
