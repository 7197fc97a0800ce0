import type { Catalog } from '../catalog/types.ts'
import { formatInstant } from '../core/instant.ts'
import type { Live } from '../live/accounts.ts'
import { cardLinksOf } from '../live/entered-card.ts'
import { markFrom, oldIdOf } from '../live/marks.ts'
import { renewalFailure } from '../live/setup.ts'
import { readPayment } from '../live/source.ts'
import { isAlive } from '../live/subscription.ts'
import { idOf } from '../core/reference.ts'
import type { Notice } from './types.ts'

/**
 * Who was asked for a card and who entered one, as far as it still matters: of members who have not
 * moved, and of members whose next renewal will probably fail. Pure.
 */
export function cardNotices(
  { subscribers }: Pick<Catalog, 'subscribers'>,
  { target, sources }: Live,
): readonly Notice[] {
  const linkOf = cardLinksOf(target.customers.values())
  const alive = new Map(target.subscriptions.filter(isAlive).map((one) => [oldIdOf(one.metadata[markFrom]), one]))
  const going = new Set(
    [...sources.values()].flatMap(({ subscriptions }) => subscriptions.filter(isAlive).map(({ id }) => id)),
  )
  return subscribers.flatMap(({ key, subscription, excluded }): Notice[] => {
    const known = excluded === undefined && going.has(subscription) ? linkOf(key) : undefined
    if (known === undefined) return []
    const { customer, link } = known
    const successor = alive.get(subscription)
    const on = formatInstant(link.at)
    const about = { subscriber: key, customer, at: null }
    if (successor === undefined && target.entered?.has(subscription) === true)
      return [
        {
          ...about,
          code: 'card_entered',
          message: 'the member entered a card, and the move charges it from then on',
          fix: 'nothing, if their stage is target; otherwise set it, then crossbill apply',
        },
      ]
    if (link.state === 'entered' && successor === undefined)
      return [
        {
          ...about,
          code: 'card_awaited',
          message: `the card that the member entered on ${on} is gone`,
          fix: askAgain(key),
        },
      ]
    const charged =
      successor === undefined
        ? null
        : (readPayment(successor, target.customers.get(idOf(successor.customer)))?.id ?? null)
    const isFine = successor !== undefined && renewalFailure(successor, charged) === undefined
    if (link.state === 'entered' || isFine) return []
    const where = link.state === 'asked' ? 'was asked for a card' : 'opened Stripe’s page for a card'
    return [
      {
        ...about,
        code: 'card_awaited',
        message: `the member ${where} on ${on} and has not entered one yet`,
        fix: askAgain(key),
      },
    ]
  })
}

function askAgain(subscriber: string): string {
  return `ask once more, with the link of crossbill card-link ${subscriber}`
}
