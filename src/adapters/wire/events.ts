import type { CallId } from '../../model/call-id.ts'
import type { CallEvent, CallFinished, RunnerEvents } from '../../model/events.ts'
import { field, readOutcome, writeOutcome, type OutcomeJson } from './envelopes.ts'
import type { Form } from './media.ts'
import { readValue } from './values.ts'

// The data of server-sent events. The event's name is that of `RunnerEvents`; of one call there are `started`,
// `progress` and `finished`.

export type EventName = keyof RunnerEvents

/** What the data of an event is, as JSON. `drain` and `idle` are `{}`. */
export interface EventJson {
  id?: string
  fn?: string
  /** Microseconds. */
  queueTime?: number
  runTime?: number
  progress?: unknown
  ok?: boolean
  value?: unknown
  error?: unknown
}

/**
 * The data of an event as JSON text.
 *
 * @throws UnwritableError for a value or progress that cannot travel in this form.
 */
export function writeEvent<E extends EventName>(name: E, args: RunnerEvents[E], form: Form): string {
  const [event] = args as [CallEvent?]
  if (!event) return '{}'
  const head = `{"id":${JSON.stringify(event.id)},"fn":${JSON.stringify(event.fn)}`
  return `${head}${writeDetails(name, event, form)}}`
}

function writeDetails(name: EventName, event: CallEvent, form: Form): string {
  switch (name) {
    case 'started':
      return `,"queueTime":${(event as RunnerEvents['started'][0]).queueTime}`
    case 'progress':
      return field('progress', (event as RunnerEvents['progress'][0]).progress, form)
    case 'finished': {
      const { queueTime, runTime, outcome } = event as CallFinished
      return `,"queueTime":${queueTime},"runTime":${runTime},${writeOutcome(outcome, form)}`
    }
    default:
      return ''
  }
}

/**
 * The arguments of a listener again.
 *
 * @throws UnreadableError for data that is not right.
 */
export function readEvent<E extends EventName>(name: E, json: EventJson, form: Form): RunnerEvents[E] {
  if (json.id === undefined) return [] as unknown[] as RunnerEvents[E]
  const event = { id: json.id as CallId, fn: json.fn ?? '', ...readDetails(name, json, form) }
  return [event] as unknown[] as RunnerEvents[E]
}

function readDetails(name: EventName, json: EventJson, form: Form): object {
  const { queueTime = 0, runTime = 0 } = json
  switch (name) {
    case 'started':
      return { queueTime }
    case 'progress':
      return { progress: 'progress' in json ? readValue(json.progress, form) : undefined }
    case 'finished':
      return { queueTime, runTime, outcome: readOutcome(json as OutcomeJson, form) }
    default:
      return {}
  }
}
