import { secondsPerDay, type Instant } from '../../core/instant.ts'
import { subscriberKey } from '../../core/address.ts'
import type { DesiredSubscriber } from '../../catalog/types.ts'
import { chance } from './chance.ts'
import type { RehearsalDifference, RehearsalReport } from './report.ts'
import type { RehearsalWorld } from './world.ts'

/** Stripe's retries of the rehearsal end within this many days. */
const retryDays = 16

/**
 * Cards that the bank refuses once because of the move: a copy may lose what made the bank trust
 * the payments. The first charge in the target is refused, in this run alone, and a retry of Stripe
 * succeeds days later.
 */
export class MoveDeclines {
  private readonly world: RehearsalWorld
  private readonly share: number
  private readonly seed: number
  private readonly known = new Set<string>()
  /** Their subscribers, and those who pay with the same card. */
  private readonly concerned = new Set<string>()
  private cards = 0

  constructor(world: RehearsalWorld, { share, seed }: { readonly share: number; readonly seed: number }) {
    this.world = world
    this.share = share
    this.seed = seed
  }

  /** After the moves of a week: the chosen ones among those who have just moved. */
  async refuse(): Promise<void> {
    const { context } = this.world
    const { subscribers } = context.catalog
    const entries = new Map<string, DesiredSubscriber>(subscribers.map((one) => [one.key, one]))
    const byCustomer = Map.groupBy(subscribers, ({ source, customer }) => `${source}/${customer}`)
    for (const record of await context.store.subscribers()) {
      const { key } = record
      if (record.phase !== 'moved' || this.known.has(key)) continue
      this.known.add(key)
      const declared = entries.get(key)
      if (declared?.collection_method !== 'charge_automatically' || declared.payment_method === undefined) continue
      const { successor } = record.facts
      if (chance(this.seed, `${key} declines by the move`) >= this.share || typeof successor !== 'string') continue
      await this.world.act('target', { act: 'decline_card', subscription: successor, times: 1 })
      this.cards += 1
      for (const { source, subscription } of byCustomer.get(`${declared.source}/${declared.customer}`) ?? [])
        this.concerned.add(subscriberKey(source, subscription))
    }
  }

  /** Splits the differences: those that these refusals cause, and all others. */
  split<Found extends Pick<RehearsalDifference, 'code' | 'subscriber' | 'at'>>(
    found: readonly Found[],
    ended: Instant,
  ): { readonly others: readonly Found[]; readonly told: NonNullable<RehearsalReport['moveDeclines']> } {
    const isOurs = ({ code, subscriber, at }: Found): boolean =>
      this.concerned.has(subscriber) &&
      (code === 'date_differs' || (code === 'missed' && at > ended - retryDays * secondsPerDay))
    const others = found.filter((one) => !isOurs(one))
    return { others, told: { share: this.share, cards: this.cards, late: found.length - others.length } }
  }
}
