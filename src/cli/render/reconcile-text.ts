import type { Reconciled } from '../../engine/inbox/reconcile.ts'
import { firstFew, plural, shortAddress } from './words.ts'

/** What was compared, what was repaired, and what remains for the service or for an apply. */
export function reconcileText(found: Reconciled, serving: boolean): string {
  const { compared, taken, hooksCreated, unheld, toGrant } = found
  const looked = `Compared ${plural(compared.subscriptions, 'subscription')} with ${plural(compared.offers, 'offer')} of members, and ${plural(compared.hooks, 'hook')}.`
  const lines = [
    ...(taken === 0 ? [] : [`Repaired: revoked ${plural(taken, 'offer')} that no live subscription pays for.`]),
    ...(hooksCreated === 0
      ? []
      : [
          `Repaired: created ${plural(hooksCreated, 'hook')} again. The poller finds cancel tags that were set while a hook was missing.`,
        ]),
    ...(unheld.length === 0
      ? []
      : [
          `Holds that were removed outside Crossbill: ${unheld.length}. ${serving ? 'The service restores them now' : 'No service runs on this store; restore them with crossbill serve or crossbill apply'}:`,
          ...listed(unheld),
        ]),
    ...(toGrant.length === 0
      ? []
      : [
          `Not repaired: ${plural(toGrant.length, 'offer')} paid for and missing in Kajabi. Grant them with crossbill plan, crossbill apply:`,
          ...listed(toGrant.map(shortAddress)),
        ]),
  ]
  return [looked, ...(lines.length === 0 ? ['No difference found.'] : lines)].join('\n')
}

function listed(all: readonly string[]): string[] {
  const { shown, more } = firstFew(all, 20)
  return [...shown.map((one) => `  ${one}`), ...(more === 0 ? [] : [`  … and ${more} more (--format json lists all)`])]
}
