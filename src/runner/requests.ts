import { checkBuffers, readCallOptions, readFunction, type CallSettings, type ListRequest } from '../caller/requests.ts'
import { CallError } from '../model/errors.ts'
import { DEFAULT_TIMEOUT, type CallDefaults, type ResolvedFunctionOptions } from '../model/options.ts'
import { findUncloneable } from '../protocol/cloneable.ts'
import type { CallFilter } from '../table/call-table.ts'

/** A call that somebody asks for, with every default in place. */
export interface CallRequest extends Omit<CallSettings, keyof CallDefaults | 'timeout'>, Required<CallDefaults> {
  fn: string
  args: readonly unknown[]
  timeout: number
}

export function readCall(
  method: 'call' | 'start',
  fn: unknown,
  args: unknown,
  given: unknown,
  defaults: ResolvedFunctionOptions,
): CallRequest {
  const called = readFunction(fn, args)
  const request: CallRequest = {
    ...called,
    transfer: undefined,
    signal: undefined,
    keep: false,
    idempotencyKey: undefined,
    timeout: method === 'call' ? Infinity : DEFAULT_TIMEOUT,
    abortAfter: defaults.abortAfter,
    grace: defaults.grace,
    retain: defaults.retain,
    priority: defaults.priority,
  }
  const reach = defaults.isolation === 'thread' ? 'threads' : 'processes'
  if (given !== undefined) readCallOptions(method, given, request)
  if (reach === 'processes' && request.transfer) checkBuffers(request.transfer, 'in processes')
  const uncloneable = findUncloneable(request.args, 'args', request.transfer, reach)
  if (uncloneable) {
    const { path, what } = uncloneable
    throw new CallError('NOT_CLONEABLE', `${path} is ${what}, which cannot travel between ${reach}`, { fn: called.fn })
  }
  return request
}

export function filterOf({ state, fn, limit, cursor }: ListRequest): CallFilter {
  return { state, fn, limit, after: cursor === undefined ? 0 : Number(cursor) }
}
