export { currentCall } from './host/function-api.ts'
export { transfer } from './host/transfer.ts'
export type { CallLogger, CurrentCall, LogMethod } from './host/current-call.ts'
