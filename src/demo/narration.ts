import { styleText } from 'node:util'

/** Where the demo writes: a terminal, a pipe or a file. */
export type Output = NodeJS.WriteStream

const INDENT = '   '
const WIDEST = 100

const number = new Intl.NumberFormat('en-US')

/** Writes the steps of the demo. Colours are left out where the output or the environment does not want them. */
export class Narration {
  readonly #output: Output
  #steps = 0

  constructor(output: Output) {
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

/** Breaks a text at its spaces into lines of at most `width`; a longer word has a line of its own. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
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
