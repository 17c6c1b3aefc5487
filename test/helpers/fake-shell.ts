import { main } from '../../src/cli/main.ts'
import type { Ending } from '../../src/cli/endings.ts'
import type { NodeAddress, RemoteNode, Shell } from '../../src/cli/shell.ts'
import type { Runner } from '../../src/index.ts'
import { FakeOutput } from './fake-output.ts'
import { until } from './latch.ts'

/** A shell in which the node is a runner of the test's own. */
export class FakeShell implements Shell {
  stdout = new FakeOutput()
  stderr = new FakeOutput()
  stdin: AsyncIterable<string> = lines()
  readonly program = 'coatcheck'
  /** Where the program has connected to. */
  readonly addresses: NodeAddress[] = []
  /** Connections that were not closed. */
  connected = 0
  readonly #node: Partial<RemoteNode>
  readonly #listeners = new Set<(signal: NodeJS.Signals) => void>()

  constructor(node: Partial<RemoteNode> = {}) {
    this.#node = node
  }

  async connect(address: NodeAddress): Promise<RemoteNode> {
    this.addresses.push(address)
    this.connected += 1
    const close = async (): Promise<void> => {
      this.connected -= 1
    }
    return { start: refuse, wait: refuse, cancel: refuse, list: refuse, stats: refuse, ...this.#node, close }
  }

  onSignal(listener: (signal: NodeJS.Signals) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Whether a signal would be heard by the program, and not end it. */
  get isListening(): boolean {
    return this.#listeners.size > 0
  }

  async listens(): Promise<void> {
    await until('that the program listens for signals', () => this.isListening)
  }

  signal(signal: NodeJS.Signals): void {
    for (const listener of this.#listeners) listener(signal)
  }

  /** Gives how the program ends, and what it has written. */
  async run(...written: string[]): Promise<{ ending: Ending; stdout: string; stderr: string }> {
    const ending = await main(written, this)
    return { ending, stdout: this.stdout.text, stderr: this.stderr.text }
  }
}

/** A runner, as the program sees a node. */
export function nodeOf(runner: Runner): RemoteNode {
  return {
    start: (fn, args, options) => runner.start(fn, args, options),
    wait: (id, options) => runner.wait(id, options),
    cancel: (id, options) => runner.cancel(id, options),
    list: (options) => runner.list(options),
    stats: async () => runner.stats(),
    close: async () => undefined,
  }
}

async function* lines(...texts: string[]): AsyncGenerator<string> {
  yield* texts
}

function refuse(): never {
  throw new Error('the test has not said what the node answers')
}
