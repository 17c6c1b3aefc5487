export { connectQueue } from './adapters/bullmq/connect-queue.ts'
export { serveQueue } from './adapters/bullmq/serve-queue.ts'
export { CallError } from './model/errors.ts'
export type {
  ConnectOptions,
  Delivery,
  QueueAddress,
  QueueConnection,
  QueueFunctionOptions,
  ServeOptions,
} from './adapters/bullmq/options.ts'
export type { QueueRunner } from './adapters/bullmq/queue-runner.ts'
export type { QueueServer } from './adapters/bullmq/queue-server.ts'
