// Checked by `npm run types`, never run: events, and what a function asks of its call.

import { currentCall, transfer, type CallLogger } from '../../src/function.ts'
import type {
  CallEvent,
  CallFinished,
  CallId,
  CallProgress,
  CallStarted,
  Outcome,
  Runner,
  RunnerEvents,
} from '../../src/index.ts'
import { holds, type Same } from './same.ts'

declare const runner: Runner

export function events(): void {
  runner.on('queued', (event) => holds<Same<typeof event, CallEvent>>())
  runner.on('started', (event) => holds<Same<typeof event, CallStarted>>())
  runner.once('progress', (event) => holds<Same<typeof event, CallProgress>>())
  runner.once('finished', (event) => holds<Same<typeof event, CallFinished>>())
  runner.off('expired', (event) => holds<Same<typeof event, CallEvent>>())
  runner.on('drain', () => undefined).once('idle', () => undefined)
  // @ts-expect-error no such event
  runner.on('finish', () => undefined)
  // @ts-expect-error no such event
  runner.off('error', () => undefined)
  // @ts-expect-error drain tells nothing
  runner.on('drain', (event) => void event)
  // @ts-expect-error queued does not tell an outcome
  runner.on('queued', ({ outcome }) => void outcome)
  // @ts-expect-error a listener is needed
  runner.on('finished')
  // @ts-expect-error a listener of another event
  runner.on('queued', (event: CallFinished) => void event)
}

export function contents({ id, fn, outcome, queueTime, runTime }: CallFinished): void {
  holds<Same<typeof id, CallId>>()
  holds<Same<typeof fn, string>>()
  holds<Same<typeof outcome, Outcome>>()
  holds<Same<typeof queueTime, number>>()
  holds<Same<typeof runTime, number>>()
  // @ts-expect-error an outcome that may be a failure has no value
  void outcome.value
  if (outcome.ok) holds<Same<typeof outcome.value, unknown>>()
}

export function names(): void {
  type Names = 'queued' | 'started' | 'progress' | 'finished' | 'expired' | 'drain' | 'idle'
  holds<Same<keyof RunnerEvents, Names>>()
}

export function call(): void {
  const { fn, signal, aborted, deadline, log, progress } = currentCall()
  holds<Same<typeof fn, string>>()
  holds<Same<typeof signal, AbortSignal>>()
  holds<Same<typeof aborted, boolean>>()
  holds<Same<typeof deadline, number>>()
  holds<Same<typeof log, CallLogger>>()
  progress({ any: 'value' })
  log.info('text %s', 'with values')
  log.warn({ rows: 3 }, 'text')
  log.error(new Error('text'))
  log.child({ part: 'child' }).debug('text')
  // @ts-expect-error what a function knows of its call is for reading
  currentCall().aborted = true
  // @ts-expect-error no such level
  log.notice('text')
  // @ts-expect-error a line has a text or properties
  log.info()
}

export function moved(): void {
  const bytes = transfer(new Uint8Array(8), [new ArrayBuffer(8)])
  holds<Same<typeof bytes, Uint8Array<ArrayBuffer>>>()
  // @ts-expect-error a list of what is moved is needed
  transfer(bytes)
  // @ts-expect-error a text cannot be moved
  transfer(bytes, ['text'])
}
