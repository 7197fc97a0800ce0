import type { Reconciled } from '../../engine/inbox/reconcile.ts'
import { firstFew, plural, shortAddress } from './words.ts'

/** What was compared, what is mended, and what is left to whom. */
export function reconcileText(found: Reconciled, serving: boolean): string {
  const { compared, taken, hooksCreated, unheld, toGrant } = found
  const looked = `Compared ${plural(compared.subscriptions, 'subscription')} with ${plural(compared.offers, 'offer')} of people, and ${plural(compared.hooks, 'hook')}.`
  const lines = [
    ...(taken === 0 ? [] : [`Mended: ${plural(taken, 'offer')} taken that nobody paid for any more.`]),
    ...(hooksCreated === 0
      ? []
      : [`Mended: ${plural(hooksCreated, 'hook')} made again; a cancel tag set meanwhile is found by looking.`]),
    ...(unheld.length === 0
      ? []
      : [
          `Holds taken off by somebody: ${unheld.length}; ${serving ? 'the service puts them back now' : 'no service runs on this store: put them back with crossbill serve or crossbill apply'}:`,
          ...listed(unheld),
        ]),
    ...(toGrant.length === 0
      ? []
      : [
          `Only reported: ${plural(toGrant.length, 'offer')} paid for and missing in Kajabi; give them with crossbill plan, crossbill apply:`,
          ...listed(toGrant.map(shortAddress)),
        ]),
  ]
  return [looked, ...(lines.length === 0 ? ['Nothing differs.'] : lines)].join('\n')
}

function listed(all: readonly string[]): string[] {
  const { shown, more } = firstFew(all, 20)
  return [...shown.map((one) => `  ${one}`), ...(more === 0 ? [] : [`  … and ${more} more (--format json lists all)`])]
}
