import { digest } from '../../core/canonical.ts'

/** A number from 0 to 1, the same for the same seed and name, whatever the order of the calls. */
export function chance(seed: number, name: string | number): number {
  return Number.parseInt(digest([seed, name]).slice(0, 8), 16) / 2 ** 32
}
