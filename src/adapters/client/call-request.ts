import { CallError } from '../../model/errors.ts'
import { DEFAULT_TIMEOUT } from '../../model/options.ts'
import { checkBuffers, readCallOptions, readFunction, type CallSettings } from '../../caller/requests.ts'
import { UnwritableError, writeArgs } from '../wire/values.ts'

/** A call that somebody asks for. Of what is left undefined, the node knows the defaults. */
export interface CallRequest extends Omit<CallSettings, 'timeout' | 'transfer'> {
  fn: string
  /** The arguments as they travel. */
  args: string
  timeout: number
  /** They are empty here once the node has the call. */
  transfer: readonly ArrayBuffer[]
}

/** @throws TypeError or RangeError for what is not right; CallError `NOT_CLONEABLE` for arguments that cannot travel. */
export function readCall(method: 'call' | 'start', fn: unknown, args: unknown, given: unknown): CallRequest {
  const called = readFunction(fn, args)
  const settings: CallSettings = {
    timeout: undefined,
    abortAfter: undefined,
    grace: undefined,
    retain: undefined,
    priority: undefined,
    transfer: undefined,
    signal: undefined,
    keep: false,
    idempotencyKey: undefined,
  }
  if (given !== undefined) readCallOptions(method, given, settings)
  const { transfer = [], timeout = method === 'call' ? Infinity : DEFAULT_TIMEOUT } = settings
  checkBuffers(transfer, 'on another host')
  // A call with a key is kept, as its key stands for it.
  const { fn: name } = called
  return {
    ...settings,
    fn: name,
    args: textOf(name, called.args),
    timeout,
    transfer,
    keep: settings.keep || settings.idempotencyKey !== undefined,
  }
}

function textOf(fn: string, args: readonly unknown[]): string {
  try {
    return writeArgs(args)
  } catch (error) {
    if (error instanceof UnwritableError) throw new CallError('NOT_CLONEABLE', error.message, { fn })
    throw error
  }
}
