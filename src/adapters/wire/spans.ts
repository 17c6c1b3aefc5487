// Spans of time in milliseconds. JSON has no Infinity: the largest number there is stands for it.

export function writeSpan(ms: number): number {
  return Math.min(ms, Number.MAX_VALUE)
}

export function readSpan(ms: number): number {
  return ms === Number.MAX_VALUE ? Infinity : ms
}
