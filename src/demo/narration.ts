import { styleText } from 'node:util'
import { wrap } from '../terminal/wrap.ts'

const INDENT = '   '
const WIDEST = 100

const number = new Intl.NumberFormat('en-US')

/** Writes the steps of the demo. Colours are left out where the output or the environment does not want them. */
export class Narration {
  readonly #output: NodeJS.WriteStream
  #steps = 0

  constructor(output: NodeJS.WriteStream) {
    this.#output = output
  }

  /** Begins a step: its name, and in one line what it shows. */
  step(name: string, shows: string): void {
    this.#steps += 1
    this.gap()
    this.#write(styleText('bold', `${this.#steps}. ${name}`, { stream: this.#output }))
    this.say(shows)
    this.gap()
  }

  say(text: string): void {
    for (const line of this.#wrapped(text)) this.#write(INDENT + line)
  }

  /** Shows the call that is made, as it stands in the code. */
  code(text: string): void {
    for (const line of this.#wrapped(text)) this.#write(INDENT + styleText('cyan', line, { stream: this.#output }))
  }

  result(text: string): void {
    this.say(`-> ${text}`)
  }

  gap(): void {
    this.#write('')
  }

  #wrapped(text: string): string[] {
    return wrap(text, Math.min(this.#output.columns ?? WIDEST, WIDEST) - INDENT.length)
  }

  #write(line: string): void {
    this.#output.write(`${line}\n`)
  }
}

export function count(value: number): string {
  return number.format(Math.round(value))
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}

export function microseconds(us: number): string {
  return us < 1_000 ? `${count(us)} us` : milliseconds(us / 1_000)
}

export function milliseconds(ms: number): string {
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${count(ms)} ms`
}
