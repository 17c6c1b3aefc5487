import type { CallId } from '../../model/call-id.ts'
import type { CallInfo, CallStatus, Outcome } from '../../model/status.ts'
import { readCallError, writeCallError, type CallErrorJson } from './call-errors.ts'
import type { Form } from './media.ts'
import { readValue, writeValue } from './values.ts'

// What is said of calls. Envelopes are written as text at once: the rich form is text already.

/** The envelope of a call. `id` is there exactly when the call can still be asked for. */
export type CallJson =
  | { fn: string; finished: false; id: string; state: 'queued' | 'running'; progress?: unknown }
  | { fn: string; finished: true; id?: string; ok: true; value?: unknown }
  | { fn: string; finished: true; id?: string; ok: false; error: CallErrorJson }

/** A row of a list: its times are Unix time in milliseconds. */
export type CallInfoJson = CallInfo

/** How a call ended, as an event tells it. */
export type OutcomeJson = { ok: true; value?: unknown } | { ok: false; error: CallErrorJson }

/**
 * The envelope of a call as JSON text.
 *
 * @throws UnwritableError for a value or progress that cannot travel in this form.
 */
export function writeCall(fn: string, status: CallStatus, form: Form): string {
  const id = status.id === undefined ? '' : `"id":${JSON.stringify(status.id)},`
  const head = `{${id}"fn":${JSON.stringify(fn)},"finished":`
  if (status.finished) return `${head}true,${writeOutcome(status, form)}}`
  const progress = field('progress', status.progress, form)
  return `${head}false,"state":"${status.state}"${progress}}`
}

/** @throws UnreadableError for what is no such envelope. */
export function readCall(json: CallJson, form: Form): CallStatus {
  const { id } = json as { id?: CallId }
  if (json.finished) return { finished: true, ...readOutcome(json, form), ...(id !== undefined && { id }) }
  const unfinished = { finished: false, id: json.id as CallId, state: json.state } as const
  return 'progress' in json ? { ...unfinished, progress: readValue(json.progress, form) } : unfinished
}

/** An outcome as the inside of a JSON object. */
export function writeOutcome(outcome: Outcome, form: Form): string {
  return outcome.ok
    ? `"ok":true${field('value', outcome.value, form)}`
    : `"ok":false,"error":${writeCallError(outcome.error, form)}`
}

export function readOutcome(json: OutcomeJson, form: Form): Outcome {
  if (!json.ok) return { ok: false, error: readCallError(json.error, form) }
  return { ok: true, value: 'value' in json ? readValue(json.value, form) : undefined }
}

/** A row of a list as JSON text. Progress that cannot travel in this form is left out: a list is no place to fail. */
export function writeInfo(info: CallInfo, form: Form): string {
  if (!('progress' in info)) return JSON.stringify(info)
  const { progress, ...others } = info
  let text = ''
  try {
    text = field('progress', progress, form)
  } catch {
    // Whoever asks for the call itself is told.
  }
  return `${JSON.stringify(others).slice(0, -1)}${text}}`
}

export function readInfo(json: CallInfoJson, form: Form): CallInfo {
  return 'progress' in json ? { ...json, progress: readValue(json.progress, form) } : json
}

/** A further property with a value. What is undefined is left out, in both forms. */
export function field(name: string, value: unknown, form: Form): string {
  return value === undefined ? '' : `,"${name}":${writeValue(value, name === 'value' ? 'result' : name, form)}`
}
