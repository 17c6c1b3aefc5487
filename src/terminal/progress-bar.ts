import { isLive, sizeOf, type Output } from './output.ts'

const INDENT = '   '
const WIDEST_BAR = 40
const NARROWEST_BAR = 8

/** Shows how far something is: a bar that moves in a terminal, a line for each quarter anywhere else. */
export class ProgressBar {
  readonly #output: Output
  readonly #isLive: boolean
  #quarters = 0

  constructor(output: Output) {
    this.#output = output
    this.#isLive = isLive(output)
  }

  /** @param share from 0 to 1 */
  show(share: number, label: string): void {
    if (this.#isLive) this.#redraw(barLine(share, label, sizeOf(this.#output).columns))
    else this.#tellQuarter(share, label)
  }

  /** Shows what cannot be told as a share. Only a terminal shows it. */
  showText(text: string): void {
    if (this.#isLive) this.#redraw(`${INDENT}${text}`.slice(0, sizeOf(this.#output).columns - 1))
  }

  /** Leaves what was shown last. */
  end(): void {
    if (this.#isLive) this.#output.write('\n')
  }

  /** Takes away what was shown last, and makes room for something else. */
  clear(): void {
    if (this.#isLive) this.#redraw('')
  }

  #redraw(line: string): void {
    this.#output.cursorTo(0)
    this.#output.write(line)
    this.#output.clearLine(1)
  }

  #tellQuarter(share: number, label: string): void {
    const quarters = Math.floor(share * 4)
    if (quarters <= this.#quarters) return
    this.#quarters = quarters
    this.#output.write(`${INDENT}${percent(share)}  ${label}\n`)
  }
}

/** What is shown in a terminal of that width: first the label gives way, then the bar. */
function barLine(share: number, label: string, columns: number): string {
  const room = columns - 1
  const figure = `${INDENT}${percent(share)}`
  const forBar = room - figure.length - '  []'.length
  if (forBar < NARROWEST_BAR) return figure.slice(0, room)

  const withLabel = forBar - label.length - '  '.length
  const hasLabel = withLabel >= NARROWEST_BAR
  const width = Math.min(WIDEST_BAR, hasLabel ? withLabel : forBar)
  const filled = Math.round(share * width)
  const bar = `[${'#'.repeat(filled)}${'.'.repeat(width - filled)}]`
  return `${figure}  ${bar}${hasLabel ? `  ${label}` : ''}`
}

function percent(share: number): string {
  return `${Math.floor(share * 100)}%`.padStart(4)
}
