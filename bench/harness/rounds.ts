import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { ContenderName } from '../contenders/contenders.ts'
import type { Case, Effort, Figures } from './case.ts'
import { median } from './percentiles.ts'

const MEASURE = fileURLToPath(new URL('./measure.ts', import.meta.url))

/** Milliseconds after which a process that measures is given up. */
const GIVE_UP_AFTER = 120_000

/** Characters of what a process that failed has said: some print a line of their own minified source. */
const MOST_SAID = 2_000

export interface Plan {
  name: string
  case: Case
  rounds: number
  effort: Effort
  /** Told before each measurement. */
  onProgress?: (round: number, contender: ContenderName, rounds: number) => void
}

export interface Measured {
  contender: ContenderName
  /** Of each round. */
  rounds: Figures[]
  /** Each figure's median over the rounds. */
  medians: Figures
}

/**
 * Measures all contenders of a case, each in a process of its own, in rounds: the speed of the machine drifts. Each round
 * begins with another contender.
 *
 * @throws if a contender fails or does not end.
 */
export async function measureCase({
  name,
  case: { contenders, execArgv = [], rounds: most = Infinity },
  rounds: wanted,
  effort,
  onProgress,
}: Plan): Promise<Measured[]> {
  const rounds = Math.min(wanted, most)
  const figures = new Map(contenders.map((contender) => [contender, [] as Figures[]]))
  for (let round = 0; round < rounds; round++) {
    const first = Math.floor((round * contenders.length) / rounds)
    for (const contender of [...contenders.slice(first), ...contenders.slice(0, first)]) {
      onProgress?.(round, contender, rounds)
      figures.get(contender)?.push(await measureOnce([name, contender, effort], execArgv))
    }
  }
  return Array.from(figures, ([contender, ofRounds]) => ({
    contender,
    rounds: ofRounds,
    medians: mediansOf(ofRounds),
  }))
}

async function measureOnce(args: [string, ContenderName, Effort], execArgv: readonly string[]): Promise<Figures> {
  const child = fork(MEASURE, args, {
    execArgv: [...process.execArgv, ...execArgv],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let said = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (said += text))
  let figures: Figures | undefined
  child.on('message', (message) => (figures = message as Figures))
  const timer = setTimeout(() => child.kill('SIGKILL'), GIVE_UP_AFTER)
  const [status, signal] = (await once(child, 'exit')) as [number | null, string | null]
  clearTimeout(timer)
  if (figures && status === 0) return figures
  const how = signal === 'SIGKILL' ? `did not end within ${GIVE_UP_AFTER} ms` : `ended with ${signal ?? status}`
  const [name, contender] = args
  throw new Error(`${contender} in ${name} ${how}\n${said.slice(-MOST_SAID)}`)
}

function mediansOf(rounds: readonly Figures[]): Figures {
  const names = Object.keys(rounds[0] ?? {})
  return Object.fromEntries(names.map((name) => [name, median(rounds.map((figures) => figures[name] ?? NaN))]))
}
