import type { Edit } from './happenings.ts'
import { isLive, sidesOf } from './ground.ts'
import type { PriceName } from './people.ts'
import type { Member, BothWorlds } from './world.ts'
import type { SubscriptionRow } from '../../src/sandbox/stripe/billing/rows.ts'
import { customers } from '../../src/sandbox/stripe/customer-row.ts'

/** One change as the portal made it. */
export interface Change {
  readonly what: Edit
  readonly plan?: PriceName
  readonly quantity?: number
}

/** What happened to a member that the rows do not show. */
export interface Doings {
  /** Reverted at least once. */
  reverted: boolean
  /** The card was declined at some time. */
  declined: boolean
  /** The card is declined now. */
  refused: boolean
  /** Changes of the new subscription that the held old one does not have. */
  readonly inNew: Change[]
  /** Changes of the held old subscription by an old door that the new one does not have. */
  readonly inOld: Change[]
  /** A new card, set in the target or by an old door. */
  cards: boolean
  /**
   * A new card that an old door set on the held old subscription and that the target does not have
   * yet.
   */
  cardInOld: boolean
  /** The card network replaced the card in the old account alone. */
  replaced: boolean
  /** Time passed since. */
  lateCard: boolean
  /** They entered a card through their card link. */
  entered: boolean
  /** An item was added while they were on hold. */
  item: boolean
  /** Their discount was taken off while they were on hold, in the old account alone so far. */
  couponRemoved: boolean
  /** A discount of theirs was taken off in both accounts; a pull takes it out of their entry. */
  couponEnded: boolean
  /** A pull came after the member's change in the target. */
  adopted: boolean
  /** The changeable parts of the old subscription when it was put on hold. */
  heldAs: string | undefined
}

/** The acts of people in this story. */
export class Life {
  private readonly doings = new Map<string, Doings>()

  of({ key }: Member): Doings {
    const known = this.doings.get(key) ?? fresh()
    this.doings.set(key, known)
    return known
  }

  /**
   * A revert takes back an invoice in dunning, and with it the progress of the dunning: it starts
   * again in the old account. A card that an old door set during the declines pays in the target
   * only after the operator has carried it.
   */
  beginsAnew(member: Member): boolean {
    const { reverted, declined, lateCard } = this.of(member)
    return declined && (reverted || lateCard)
  }

  /**
   * One of two subscriptions of a customer ended while the card was declined: Stripe then stops the
   * collection of the other's invoices, in that account only. How far the dunning of the other
   * proceeds depends on where it is billed, and no operator decides it here.
   */
  dunnedApart(worlds: BothWorlds, member: Member): boolean {
    const theirs = worlds.members.filter(({ customer }) => customer === member.customer)
    return theirs.length > 1 && this.of(member).declined && theirs.some((one) => hasEnded(worlds, one))
  }

  /** After every event: records which subscriptions are on hold now, and in which form. */
  look(worlds: BothWorlds): void {
    for (const member of worlds.members) {
      const { old, held, live } = sidesOf(worlds, member)
      const doings = this.of(member)
      if (!held || old === undefined) doings.heldAs = undefined
      else doings.heldAs ??= changeable(worlds, member, old)
      if (live.length === 0 || !held) doings.inNew.length = 0
    }
  }
}

/** In either world, in any account. */
function hasEnded(worlds: BothWorlds, member: Member): boolean {
  const { old, controlRun, successors } = sidesOf(worlds, member)
  return [old, controlRun, ...successors].some((row) => row !== undefined && !isLive(row))
}

function fresh(): Doings {
  return {
    reverted: false,
    declined: false,
    refused: false,
    inNew: [],
    inOld: [],
    cards: false,
    cardInOld: false,
    replaced: false,
    lateCard: false,
    entered: false,
    item: false,
    couponRemoved: false,
    couponEnded: false,
    adopted: false,
    heldAs: undefined,
  }
}

/** The parts of an old subscription that a person can change. */
export function changeable({ moved }: BothWorlds, { account }: Member, row: SubscriptionRow): string {
  const customer = moved.world.account(account).table(customers).get(row.customer)
  const { items, cancel_at: at, cancel_at_period_end: ends, default_payment_method: method } = row
  const card = method ?? customer?.invoice_settings.default_payment_method ?? null
  return JSON.stringify([items.map(({ price, quantity }) => [price, quantity]), at, ends, card])
}
