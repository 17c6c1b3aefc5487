import { inspect } from 'node:util'
import { plainCause } from '../adapters/wire/plain-causes.ts'
import { findUnplain } from '../adapters/wire/plain-values.ts'
import type { CallError } from '../model/errors.ts'
import type { CallInfo, CallStatus } from '../model/status.ts'

// What goes out as JSON has the names of the JavaScript interface. Nothing is lost silently: in place of a `value` or
// `progress` that JSON cannot carry there is `shown`, which is how Node shows it.

export function statusJson(status: CallStatus): object {
  const id = status.id === undefined ? {} : { id: status.id }
  if (!status.finished) {
    const { finished, state, progress } = status
    return { finished, ...id, state, ...carried('progress', progress) }
  }
  if (status.ok) return { finished: true, ...id, ok: true, ...carried('value', status.value) }
  return { finished: true, ...id, ok: false, error: errorJson(status.error) }
}

export function errorJson(error: CallError): object {
  const { message, cause } = error
  return { ...error, message, ...(cause !== undefined && { cause: plainCause(cause) }) }
}

export function infoJson(call: CallInfo): object {
  if (call.state !== 'running') return call
  const { progress, ...others } = call
  return { ...others, ...carried('progress', progress) }
}

/** How a value is shown to people: a string as it is, and the rest as JSON where that carries it. */
export function showValue(value: unknown): string {
  if (typeof value === 'string') return value
  return isPlain(value) ? JSON.stringify(value, null, 2) : showAll(value)
}

function carried(name: string, value: unknown): object {
  if (value === undefined) return {}
  return isPlain(value) ? { [name]: value } : { shown: showAll(value) }
}

function isPlain(value: unknown): boolean {
  return findUnplain(value, '') === undefined
}

function showAll(value: unknown): string {
  return inspect(value, { depth: Infinity, maxArrayLength: Infinity, maxStringLength: Infinity, breakLength: 100 })
}
