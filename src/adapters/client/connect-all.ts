import { checkBoolean, checkObject, show } from '../../model/check.ts'
import { systemClock } from '../../model/clock.ts'
import { CallError } from '../../model/errors.ts'
import type { AnyFunctions, FunctionArgs, FunctionName, FunctionValue } from '../../model/functions.ts'
import type { CloseOptions, StartOptions } from '../../model/runner.ts'
import { readCall } from './call-request.ts'
import type { Client } from './client.ts'
import { createClient } from './connect.ts'
import { fanOut, type NodeResult } from './fan-out.ts'
import type { ConnectOptions } from './options.ts'
import type { RemoteRunner } from './remote-runner.ts'

/** A node with options of its own, which go before those of all. */
export interface NodeOptions extends ConnectOptions {
  url: string | URL
  /** Whether the node is known to be away: then it is not asked. Default: false. */
  offline?: boolean
}

/**
 * What the call is given on every node. `timeout` is for all nodes together: when it is over, those that have not answered
 * are given up, and the calls that go on are told of with their IDs. With 0 every node is asked once, has the client's
 * margin to answer, and tells the ID of a call that is not finished then.
 */
export type CallEachOptions = Omit<StartOptions, 'transfer'>

/** Many nodes that have the same functions. */
export interface Clients<F = AnyFunctions> extends AsyncDisposable {
  /** The client of each node, by the node's name. */
  readonly nodes: ReadonlyMap<string, Client<F>>

  /**
   * Calls a function on every node, at most 30 of them at once, and gives what became of it on each, in the order of the
   * nodes. One node's failure is its own result only.
   *
   * @throws TypeError or RangeError for a bad argument; CallError `NOT_CLONEABLE` for arguments that cannot travel.
   */
  callEach<K extends FunctionName<F>>(
    fn: K,
    args: FunctionArgs<F, K>,
    options?: CallEachOptions,
  ): Promise<Map<string, NodeResult<FunctionValue<F, K>>>>

  /** The same, with each result as it arrives. Whoever stops reading leaves the other calls to their nodes. */
  eachResult<K extends FunctionName<F>>(
    fn: K,
    args: FunctionArgs<F, K>,
    options?: CallEachOptions,
  ): AsyncGenerator<[node: string, result: NodeResult<FunctionValue<F, K>>], void>

  /** Marks a node as away, so that it is not asked, or as back. @throws RangeError for a node that there is not. */
  markOffline(node: string, isOffline?: boolean): void

  /** Closes the clients of all nodes. */
  close(options?: CloseOptions): Promise<void>
}

/**
 * Gives the runners of many nodes: `connectAll<typeof functions>({ node1: 'https://node1:1811', node2: … })`.
 *
 * @param options for all nodes, as for `connect`.
 * @throws TypeError or RangeError for a URL or an option that is not right.
 */
export function connectAll<F = AnyFunctions>(
  nodes: Record<string, string | URL | NodeOptions>,
  options?: ConnectOptions,
): Clients<F> {
  checkObject('nodes', nodes)
  const all = new RemoteRunners<F>()
  for (const [name, given] of Object.entries(nodes)) {
    const { url, offline = false, ...own } = optionsOf(name, given)
    checkBoolean(`offline of node "${name}"`, offline)
    all.add(name, createClient<F>(url, { ...options, ...own }), offline)
  }
  return all
}

class RemoteRunners<F> implements Clients<F> {
  readonly nodes = new Map<string, RemoteRunner<F>>()
  readonly #offline = new Set<string>()

  add(name: string, client: RemoteRunner<F>, isOffline: boolean): void {
    this.nodes.set(name, client)
    this.markOffline(name, isOffline)
  }

  async callEach<K extends FunctionName<F>>(
    fn: K,
    args: FunctionArgs<F, K>,
    options?: CallEachOptions,
  ): Promise<Map<string, NodeResult<FunctionValue<F, K>>>> {
    // In the order of the nodes, not of arrival.
    const results = new Map<string, NodeResult<FunctionValue<F, K>> | undefined>()
    for (const name of this.nodes.keys()) results.set(name, undefined)
    for await (const [name, result] of this.eachResult(fn, args, options)) results.set(name, result)
    return results as Map<string, NodeResult<FunctionValue<F, K>>>
  }

  async *eachResult<K extends FunctionName<F>>(
    fn: K,
    args: FunctionArgs<F, K>,
    options?: CallEachOptions,
  ): AsyncGenerator<[node: string, result: NodeResult<FunctionValue<F, K>>], void> {
    const request = readCall('start', fn, args, options)
    if (request.transfer.length > 0) throw new TypeError('transfer is for one node: leave it out where many are called')
    const away = [...this.nodes.keys()].filter((name) => this.#offline.has(name))
    const asked = [...this.nodes].filter(([name]) => !this.#offline.has(name))
    const calls = asked.map(([name, client]) => ({ name, fn, call: client.prepare(request) }))
    for (const name of away) yield [name, notAsked(name, fn)]
    const { timeout, signal } = request
    for await (const [name, result] of fanOut({ nodes: calls, timeout, signal, clock: systemClock })) {
      yield [name, result as NodeResult<FunctionValue<F, K>>]
    }
  }

  markOffline(name: string, isOffline = true): void {
    if (!this.nodes.has(name)) {
      throw new RangeError(`there is no node ${show(name)}; the nodes are ${[...this.nodes.keys()].join(', ')}`)
    }
    if (isOffline) this.#offline.add(name)
    else this.#offline.delete(name)
  }

  async close(options?: CloseOptions): Promise<void> {
    await Promise.all(Array.from(this.nodes.values(), (client) => client.close(options)))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

function optionsOf(name: string, given: unknown): NodeOptions {
  if (typeof given === 'string' || given instanceof URL) return { url: given }
  return checkObject(`node "${name}"`, given) as NodeOptions
}

function notAsked(name: string, fn: string): NodeResult & { ok: false } {
  const message = `node "${name}" is marked offline: it was not asked`
  return { ok: false, error: new CallError('NODE_UNREACHABLE', message, { fn, started: 'no' }), offline: true }
}
