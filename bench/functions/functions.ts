// What the contenders run. Plain functions of one argument: each contender finds them in its own way.

export function noop(): void {}

/** Gives back what it got. */
export function echo(value: unknown): unknown {
  return value
}

/** How many bytes it got. */
export function size(bytes: Uint8Array): number {
  return bytes.byteLength
}

/** Keeps its thread busy for `ms` milliseconds. */
export function spin(ms: number): void {
  const until = performance.now() + ms
  while (performance.now() < until);
}

/** Waits for a timer of `ms` milliseconds. `async`, which is how poolifier knows that there is a promise to await. */
export async function timer(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms))
}
