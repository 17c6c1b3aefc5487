import { isExactJson } from './exact-json.ts'
import { readJobValue, writeJobValue } from './job-values.ts'

/** What a call is asked to do, as the data of its job. */
export interface JobData {
  /** The arguments, or a picture of them where `rich` has them. */
  args: unknown
  rich?: string
  /** Milliseconds. Null for no limit, as JSON has it; left out for what the serving runner has. */
  abortAfter?: number | null
  grace?: number | null
  /** How often the function may begin. */
  starts: number
}

/** What an unfinished and a finished call have in common, as further options of its job. */
export interface JobFacts {
  /** Milliseconds that the outcome is kept; null for no end. */
  retain: number | null
  /** The call's own, from -100 to 100. The job's has the time in it. */
  callPriority: number
  /** The digest of its idempotency key. */
  keyed?: string
}

/** What the serving runner is asked for. */
export interface CallLimits {
  abortAfter?: number
  grace?: number
}

/**
 * @param args that can travel.
 * @throws UnwritableError for those that cannot after all.
 */
export function writeJobData(args: readonly unknown[], limits: CallLimits, starts: number): JobData {
  const { value, rich } = writeJobValue(isExactJson(args) ? args : structuredClone(args), 'args')
  // JSON makes null of `Infinity`.
  return { args: value, ...(rich !== undefined && { rich }), ...limits, starts }
}

/** @throws UnreadableError for what is no such data. */
export function readArgs({ args, rich }: JobData): unknown[] {
  return readJobValue(rich === undefined ? { value: args } : { value: args, rich }) as unknown[]
}

export function readLimits({ abortAfter, grace }: JobData): CallLimits {
  return {
    ...(abortAfter !== undefined && { abortAfter: abortAfter ?? Infinity }),
    ...(grace !== undefined && { grace: grace ?? Infinity }),
  }
}
