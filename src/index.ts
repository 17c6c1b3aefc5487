export { createRunner } from './runner/create-runner.ts'
export { CallError } from './model/errors.ts'
export type { CallId } from './model/call-id.ts'
export type { AbortStep, CallErrorCode, CallErrorDetails, Started } from './model/errors.ts'
export type { CallEvent, CallFinished, CallProgress, CallStarted, RunnerEvents } from './model/events.ts'
export type { AnyFunctions, FunctionArgs, FunctionName, FunctionValue } from './model/functions.ts'
export type { FunctionOptions, RunnerOptions, ThreadsOptions } from './model/options.ts'
export type {
  CallOptions,
  CallPage,
  CancelOptions,
  CloseOptions,
  ListOptions,
  Runner,
  RunnerStats,
  StartOptions,
  TimeStats,
  WaitOptions,
} from './model/runner.ts'
export type { CallInfo, CallState, CallStatus, Failed, Outcome, Succeeded, Unfinished } from './model/status.ts'
export type { CallTrace } from './runner/call-tracing.ts'
