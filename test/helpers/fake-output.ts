import type { Output } from '../../src/terminal/output.ts'
import { until } from './latch.ts'

/** What a program has written to a pipe. */
export class FakeOutput implements Output {
  readonly isTTY: boolean = false
  readonly columns: number = 80
  readonly rows: number = 24
  text = ''

  write(text: string | Uint8Array): boolean {
    this.text += String(text)
    return true
  }

  /** Resolves when the text has been written. */
  async shows(text: string): Promise<void> {
    await until(`"${text}" on the output`, () => this.text.includes(text))
  }

  cursorTo(): boolean {
    throw new Error('a pipe has no cursor')
  }

  clearLine(): boolean {
    throw new Error('what went into a pipe cannot be cleared')
  }

  clearScreenDown(): boolean {
    throw new Error('a pipe has no screen')
  }
}

/** What a program has written to a terminal, which tells of each time that it was written over. */
export class FakeTerminal extends FakeOutput {
  override readonly isTTY = true
  override columns = 80
  override rows = 24

  override cursorTo(x?: number, y?: number | (() => void)): boolean {
    this.text += typeof y === 'number' ? `<${x},${y}>` : `<${x}>`
    return true
  }

  override clearLine(): boolean {
    return true
  }

  override clearScreenDown(): boolean {
    return true
  }
}
