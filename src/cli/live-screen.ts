import { sizeOf, type Output } from '../terminal/output.ts'

const ENTER = '\x1b[?1049h\x1b[?25l'
const LEAVE = '\x1b[?25h\x1b[?1049l'
const CLEAR_REST_OF_LINE = '\x1b[K'

/** A terminal's second screen: what stood on the first is there again afterwards. */
export class LiveScreen {
  readonly #output: Output

  constructor(output: Output) {
    this.#output = output
    output.write(ENTER)
  }

  /** Lines that there is room for. */
  get rows(): number {
    return sizeOf(this.#output).rows
  }

  /** Shows these lines in place of those before; what there is no room for is cut off. */
  draw(lines: readonly string[]): void {
    const { columns, rows } = sizeOf(this.#output)
    const fitting = lines.slice(0, rows).map((line) => line.slice(0, columns))
    this.#output.cursorTo(0, 0)
    this.#output.write(fitting.map((line) => line + CLEAR_REST_OF_LINE).join('\n'))
    this.#output.clearScreenDown()
  }

  close(): void {
    this.#output.write(LEAVE)
  }
}
