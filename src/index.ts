export { createRunner } from './runner/create-runner.ts'
export { CallError } from './model/errors.ts'
export type { CallId } from './model/call-id.ts'
export type { AbortStep, CallErrorCode, CallErrorDetails, Started } from './model/errors.ts'
export type { CallEvent, CallFinished, CallProgress, CallStarted, RunnerEvents } from './model/events.ts'
export type { AnyFunctions, FunctionArgs, FunctionName, FunctionValue } from './model/functions.ts'
export type { CallDefaults, FunctionOptions, Isolation, RunnerOptions } from './model/options.ts'
export type {
  ChildOptions,
  CommandOptions,
  Permissions,
  ProcessesOptions,
  ProcessOptions,
} from './model/process-options.ts'
export type { ThreadsOptions } from './model/thread-options.ts'
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
