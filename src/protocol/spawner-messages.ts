/** What one child process may use; each left out is not limited. */
interface ChildLimits {
  /** Bytes of resident memory. */
  memory?: number | undefined
  /** Milliseconds of processor time. */
  cpuTime?: number | undefined
  openFiles?: number | undefined
  /** Bytes of a file that it writes. */
  fileSize?: number | undefined
}

export interface SpawnRequest {
  id: number
  /** The program and its arguments, in which `OWN_FOLDER` stands for its temporary folder. */
  command: readonly string[]
  /** How many of its file descriptors, from 0 on, are connected to the runner. */
  streams: number
  cwd?: string | undefined
  /** All of its environment, but for TMPDIR and the mark by which its offspring is found. */
  env: Record<string, string>
  uid?: number | undefined
  gid?: number | undefined
  limits: ChildLimits
}

/** From the runner to its spawner: one JSON document a line. */
export type ToSpawner =
  | ({ type: 'spawn' } & SpawnRequest)
  /** The runner has its ends of the child's streams: not before that is the child started. */
  | { type: 'connected'; id: number }
  /** To the child and all that are still in its process group. */
  | { type: 'signal'; id: number; signal: 'SIGTERM' | 'SIGKILL' }

/** The limit for which the spawner ended a child. */
export type ExceededLimit = 'memory' | 'cpuTime'

export type FromSpawner =
  /** @property tools what an error begins with that is of the tools by way of which it is started, and not its own. */
  | { type: 'spawned'; id: number; pid: number; tools: string }
  | { type: 'failed'; id: number; code: string; message: string }
  | {
      type: 'exited'
      id: number
      code: number | null
      signal: string | null
      exceeded?: ExceededLimit
      /** The kernel has killed some process for want of memory meanwhile. */
      isMemoryShort: boolean
    }
  /** Nothing of it is left: no offspring, no temporary folder. */
  | { type: 'gone'; id: number }

/** The environment variable that marks a child and its offspring: marks, outermost first, with blanks between. */
export const MARK = 'COATCHECK_CHILD'

/** No argument can have that in it by itself. */
export const OWN_FOLDER = '\0TMPDIR'

/** What a line says; undefined for one that is not whole: whoever wrote it was ended meanwhile, which is told otherwise. */
export function readLine<T extends FromSpawner | ToSpawner>(line: string): T | undefined {
  try {
    return JSON.parse(line) as T
  } catch {
    return undefined
  }
}
