import type { CreateContender } from './contender.ts'

// Each is loaded in the process that measures it, and in no other.
const POOLS = {
  'coatcheck call': async () => (await import('./coatcheck.ts')).createWithCall,
  // The same once more: how far these two are apart is the noise of the machine.
  'coatcheck call, again': async () => (await import('./coatcheck.ts')).createWithCall,
  'coatcheck start': async () => (await import('./coatcheck.ts')).createWithStart,
  piscina: async () => (await import('./piscina.ts')).create,
  'tinypool threads': async () => (await import('./tinypool.ts')).createThreads,
  'tinypool child_process': async () => (await import('./tinypool.ts')).createProcesses,
  'workerpool thread': async () => (await import('./workerpool.ts')).createThreads,
  'workerpool process': async () => (await import('./workerpool.ts')).createProcesses,
  poolifier: async () => (await import('./poolifier.ts')).create,
  'jest-worker': async () => (await import('./jest-worker.ts')).create,
  postMessage: async () => (await import('./post-message.ts')).create,
  'in process': async () => (await import('./in-process.ts')).create,
} satisfies Record<string, () => Promise<CreateContender>>

const LOADERS = {
  ...POOLS,
  'coatcheck cold': async () => (await import('./coatcheck.ts')).createWithSpares.bind(undefined, 0),
  'coatcheck spare': async () => (await import('./coatcheck.ts')).createWithSpares.bind(undefined, 1),
  'coatcheck reuse': async () => (await import('./coatcheck.ts')).createWithReuse,
  'piscina and a map': async () => (await import('./piscina-tickets.ts')).createWithTickets,
  'coatcheck over HTTP': async () => (await import('./http.ts')).createNode,
  'bare Fastify': async () => (await import('./http.ts')).createBare,
  'bare Node': async () => (await import('./node-start.ts')).createHere,
  'bare Node by a shell': async () => (await import('./node-start.ts')).createElsewhere,
  'coatcheck queue': async () => (await import('./bullmq.ts')).createQueue,
  'bare BullMQ': async () => (await import('./bullmq.ts')).createBare,
  nothing: async () => (await import('./node-start.ts')).createNowhere,
} satisfies Record<string, () => Promise<CreateContender>>

export type ContenderName = keyof typeof LOADERS

/** Those that run any call as it comes. The others are of single cases. */
export const ALL = Object.keys(POOLS) as readonly ContenderName[]

/** Those with somebody else to run their calls. */
const ELSEWHERE: readonly ContenderName[] = ALL.filter((name) => name !== 'in process')

/** Those whose calls run on threads of this process. */
export const ON_THREADS: readonly ContenderName[] = ELSEWHERE.filter(
  (name) => name !== 'tinypool child_process' && name !== 'workerpool process',
)

/** The nearest of them, for cases that would take long with all. */
export const NEAREST: readonly ContenderName[] = [
  'coatcheck call',
  'coatcheck call, again',
  'coatcheck start',
  'postMessage',
  'piscina',
  'poolifier',
]

/** What the others are held against, in cases that do not name another. */
export const REFERENCE: ContenderName = 'piscina'

export function load(name: ContenderName): Promise<CreateContender> {
  return LOADERS[name]()
}
