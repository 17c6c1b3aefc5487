import { Output } from '../children/output.ts'
import type { RemoteChild } from '../children/remote-child.ts'

type PrintLevel = 'info' | 'warn'

/** @param job whose line it is; undefined for the process's own. */
export type TellLine<J> = (job: J | undefined, level: PrintLevel, stream: 'stdout' | 'stderr', line: string) => void

/** What a process prints, and whose it is: that of the call it has, or had last, since what is printed may be read later. */
export class Prints<J> {
  readonly stderr: Output
  /** Resolves when nothing more comes. */
  readonly ended: Promise<unknown>
  readonly #stdout: Output
  #owner: J | undefined

  constructor(child: RemoteChild, tell: TellLine<J>) {
    const [, stdout, stderr] = child.streams as NonNullable<RemoteChild['streams']>
    if (!stdout || !stderr) throw new Error('a child without output')
    this.#stdout = new Output(stdout, (line) => tell(this.#owner, 'info', 'stdout', line))
    this.stderr = new Output(stderr, (line) => tell(this.#owner, 'warn', 'stderr', line))
    this.ended = Promise.all([this.#stdout.ended, this.stderr.ended])
  }

  /** What is printed from now on is of this job. */
  belongTo(job: J): void {
    this.#stdout.restart()
    this.stderr.restart()
    this.#owner = job
  }
}
