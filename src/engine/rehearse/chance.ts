import { digest } from '../../core/canonical.ts'

/**
 * 0 to 1, the same for the same seed and name: nothing depends on the order in which chances are
 * asked for.
 */
export function chance(seed: number, name: string | number): number {
  return Number.parseInt(digest([seed, name]).slice(0, 8), 16) / 2 ** 32
}
