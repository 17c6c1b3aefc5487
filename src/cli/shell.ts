import type { CallPage, CancelOptions, ListOptions, RunnerStats, StartOptions, WaitOptions } from '../model/runner.ts'
import type { CallStatus } from '../model/status.ts'
import type { PemFiles } from './pem-files.ts'
import type { Output } from '../terminal/output.ts'

/** A node, and how to speak to it. */
export interface NodeAddress extends PemFiles {
  url: URL
}

/** What commands ask of a node. */
export interface RemoteNode {
  start(fn: string, args: readonly unknown[], options: StartOptions): Promise<CallStatus>
  wait(id: string, options: WaitOptions): Promise<CallStatus>
  cancel(id: string, options: CancelOptions): Promise<CallStatus>
  list(options: ListOptions): Promise<CallPage>
  /** Of the node, not of this connection alone. */
  stats(): Promise<RunnerStats>
  /** Ends the connection, and nothing else. */
  close(): Promise<void>
}

/** What is around the program. */
export interface Shell {
  readonly stdout: Output
  readonly stderr: Output
  readonly stdin: AsyncIterable<string | Uint8Array>
  /** How the program is called, as whoever reads its messages would call it again. */
  readonly program: string
  /** Listens for signals that would end the program. Returns what stops listening, after which they end it again. */
  onSignal(listener: (signal: NodeJS.Signals) => void): () => void
  connect(address: NodeAddress): Promise<RemoteNode>
}
