import { digest } from '../../core/canonical.ts'

/** The key of the creation under a hold. One hold has one creation, whichever run sends it. */
export function creationKey(old: string, hold: number): string {
  return `crossbill-${digest([old, 'create', hold])}`
}

/** The key of a hold or a release, which share one sequence of numbers. */
export function holdKey(old: string, number: number): string {
  return `crossbill-${digest([old, 'hold', number])}`
}
