/** One measured figure and its goal. */
export interface Figure {
  readonly what: string
  readonly reach: string
  readonly measured: string
  readonly ok: boolean
}

export function milliseconds(value: number): string {
  return value < 10
    ? `${value.toFixed(1)} ms`
    : value < 10_000
      ? `${Math.round(value)} ms`
      : `${(value / 1_000).toFixed(1)} s`
}

/** The value below which this share of all values lies. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? 0
}

/** Processor time in milliseconds: a busy machine does not change it. */
export async function processed<T>(work: () => Promise<T> | T): Promise<{ readonly value: T; readonly took: number }> {
  const before = process.cpuUsage()
  const value = await work()
  const { user, system } = process.cpuUsage(before)
  return { value, took: (user + system) / 1_000 }
}

export async function timed<T>(work: () => Promise<T> | T): Promise<{ readonly value: T; readonly took: number }> {
  const start = performance.now()
  const value = await work()
  return { value, took: performance.now() - start }
}
