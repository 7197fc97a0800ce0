import { objectIn, objectsIn } from '../core/json.ts'

/** Whether a price bills usage, at the end of each period, and not a quantity in advance. */
export function isMetered({ recurring }: { readonly recurring?: unknown }): boolean {
  return objectIn(recurring)['usage_type'] === 'metered'
}

/** Whether one of a subscription's items is billed by usage. */
export function billsUsage(items: unknown): boolean {
  return objectsIn(objectIn(items)['data']).some(({ price }) => isMetered(objectIn(price)))
}
