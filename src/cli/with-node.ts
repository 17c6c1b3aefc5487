import { CallError } from '../model/errors.ts'
import type { Ending } from './endings.ts'
import { addressOf, type GivenAddress } from './node-address.ts'
import { reportRefusal, type Report } from './report.ts'
import type { RemoteNode, Shell } from './shell.ts'
import { UsageError } from './errors.ts'

interface Given extends GivenAddress {
  json?: true
}

/** Does something with a node, and tells what it refuses. */
export async function withNode(
  given: Given,
  shell: Shell,
  use: (node: RemoteNode, report: Report) => Promise<Ending>,
): Promise<Ending> {
  const report: Report = { shell, json: given.json ?? false, address: addressOf(given) }
  let node: RemoteNode | undefined
  try {
    node = await shell.connect(report.address)
    return await use(node, report)
  } catch (error) {
    if (error instanceof CallError) return reportRefusal(error, report)
    // What a client says to wrong arguments, such as a cursor that is none.
    const isWrong = error instanceof TypeError || error instanceof RangeError
    throw isWrong ? new UsageError(error.message, { cause: error }) : error
  } finally {
    await node?.close()
  }
}
