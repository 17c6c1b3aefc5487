/** Where a program writes: a terminal, a pipe or a file. Only a terminal has a size and a cursor. */
export type Output = Pick<
  NodeJS.WriteStream,
  'write' | 'isTTY' | 'columns' | 'rows' | 'cursorTo' | 'clearLine' | 'clearScreenDown'
>

/** Whether lines that were written can be written over. */
export function isLive(output: Output): boolean {
  return output.isTTY && process.env['TERM'] !== 'dumb'
}

/** Columns and rows of a terminal. Some do not say, and count as the smallest that are common. */
export function sizeOf({ columns, rows }: Output): { columns: number; rows: number } {
  return { columns: columns > 0 ? columns : 80, rows: rows > 0 ? rows : 24 }
}
