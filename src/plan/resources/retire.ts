import type { Ending, Kind } from '../../kinds/kind.ts'
import { liveForm } from '../../kinds/form.ts'
import { ending } from './ends.ts'
import type { Around } from './change.ts'
import type { LiveObject } from './live-index.ts'
import type { Placed } from './order.ts'
import type { People } from './people.ts'
import { post, retireSteps } from './steps.ts'
import type { KeylessStep } from './types.ts'
import { patchBetween } from '../patch.ts'

/**
 * Retires an object without an entry. Subscriptions, discounts and invoices that use it continue.
 */
export function retirement(
  kind: Kind,
  { address, live }: { readonly address: string; readonly live: LiveObject },
  around: Omit<Around, 'needed'>,
): Placed & { readonly ends: readonly Ending[] } {
  const form = liveForm(kind, live, around.references)
  const steps = [...defaultPriceFirst(kind, live, around), ...retireSteps(kind, live, false)]
  const people = usersOf(kind, live, around.people)
  const because = people === 0 ? ['no longer declared'] : ['no longer declared', `${people} subscription(s) keep it`]
  const after = kind.retire(live)?.params ?? {}
  const patch = patchBetween(form, { ...form, ...after })
  const observed = { id: live.id, form }
  const ends = around.endings.of(kind, { address, live })
  return {
    when: 'retire',
    kind,
    observed,
    ends,
    change: { address, action: 'retire', because, patch, people: 0, ...ending(ends), steps, expect: {} },
  }
}

/** Number of subscriptions that use a price, tax rate or coupon. */
export function usersOf(kind: Kind, live: LiveObject, people: People): number {
  return kind.name === 'price' ? (people.onPrice.get(live.id) ?? []).length : (people.using.get(live.id)?.size ?? 0)
}

/**
 * Stripe refuses to archive a default price. A declared product gets another default price, or
 * none, by its own update.
 */
function defaultPriceFirst(
  kind: Kind,
  live: LiveObject,
  { input, verdicts }: Omit<Around, 'needed'>,
): readonly KeylessStep[] {
  if (kind.name !== 'price') return []
  const declared = new Set(verdicts.flatMap(({ identity }) => (identity.is === 'absent' ? [] : [identity.live.id])))
  return (input.live.get('product') ?? [])
    .filter((product) => product['default_price'] === live.id && !declared.has(product.id ?? ''))
    .map((product) => post(`default_price:${product.id}`, `/v1/products/${product.id}`, { default_price: null }))
}
