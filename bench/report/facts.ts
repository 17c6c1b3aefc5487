import type { Machine } from '../harness/machine.ts'

const GIGABYTE = 1024 ** 3

/** What a reader has to know of where figures come from. */
export function factsOf(machine: Machine): Record<string, string> {
  const { processor, processors, memory, system, node, v8, commit, date, versions } = machine
  return {
    machine: `${processors} × ${processor}, ${(memory / GIGABYTE).toFixed(0)} GB, ${system}`,
    Node: `${node.replace('v', '')} with V8 ${v8}`,
    coatcheck: `commit ${commit}`,
    beside: listOfVersions(versions),
    date: date.slice(0, 'yyyy-mm-dd'.length),
  }
}

export function listOfVersions(versions: Record<string, string>): string {
  return Object.entries(versions)
    .map((entry) => entry.join(' '))
    .join(', ')
}
