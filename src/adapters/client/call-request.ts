import { DEFAULT_TIMEOUT } from '../../model/options.ts'
import { checkBuffers, readCallOptions, readFunction, type CallSettings } from '../../caller/requests.ts'

/** A call that somebody asks for. Of what is left undefined, the node knows the defaults. */
export interface CallRequest extends Omit<CallSettings, 'timeout' | 'transfer'> {
  fn: string
  args: readonly unknown[]
  timeout: number
  /** They are empty here once the node has the call. */
  transfer: readonly ArrayBuffer[]
}

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
  return { ...settings, ...called, timeout, transfer, keep: settings.keep || settings.idempotencyKey !== undefined }
}
