import type { CopyMap } from './types.ts'

/** Whether nothing of a copy of this source is known: Stripe has not made it, or its file waits. */
export function isUncopied(copyMap: CopyMap | undefined): boolean {
  return copyMap === undefined || (copyMap.customers.size === 0 && copyMap.payments.size === 0)
}

/** What to do before the first copy of a source. */
export function firstCopyFix(source: string): string {
  return `Have Stripe copy the customers and cards of ${source} to the target (Dashboard of ${source}), then import its file: \`crossbill copy-map import --source ${source} FILE\`.`
}
