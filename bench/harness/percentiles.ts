/** What is below which share of the samples, by nearest rank; `share` from 0 to 1. Sorts the samples in place. */
export function percentiles<K extends string>(samples: Float64Array, shares: Record<K, number>): Record<K, number> {
  if (samples.length === 0) throw new RangeError('there are no samples')
  samples.sort()
  const entries = Object.entries<number>(shares).map(([name, share]) => {
    const rank = Math.min(samples.length - 1, Math.max(0, Math.ceil(share * samples.length) - 1))
    return [name, samples[rank]]
  })
  return Object.fromEntries(entries) as Record<K, number>
}

export function median(values: readonly number[]): number {
  return percentiles(Float64Array.from(values), { median: 0.5 }).median
}
