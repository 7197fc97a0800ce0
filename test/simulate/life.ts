import type { Edit } from './happenings.ts'
import { isLive, sidesOf } from './ground.ts'
import type { PriceName } from './people.ts'
import type { Member, TwinWorlds } from './world.ts'
import type { SubscriptionRow } from '../../src/sandbox/stripe/billing/rows.ts'
import { customers } from '../../src/sandbox/stripe/customer-row.ts'

/** One change, as the portal made it. */
export interface Change {
  readonly what: Edit
  readonly plan?: PriceName
  readonly quantity?: number
}

/** What became of one member that their rows do not say. */
export interface Doings {
  /** Set back at least once. */
  reverted: boolean
  /** Their card was refused at some time. */
  declined: boolean
  /** Their card is refused now. */
  refused: boolean
  /** Made at the new subscription, and not at the held old one. */
  readonly inNew: Change[]
  /** Made at the held old subscription by an old door, and not at the new one. */
  readonly inOld: Change[]
  /** A new card given in the target, or by an old door. */
  cards: boolean
  /** A new card given to the held old one by an old door, and not yet in the target. */
  cardInOld: boolean
  /** Time passed meanwhile. */
  lateCard: boolean
  /** A pull came after what they changed in the target. */
  adopted: boolean
  /** What a person can change of the old subscription, as it was when it was put on hold. */
  heldAs: string | undefined
}

/** What people did in this story. */
export class Life {
  private readonly doings = new Map<string, Doings>()

  of({ key }: Member): Doings {
    const known = this.doings.get(key) ?? fresh()
    this.doings.set(key, known)
    return known
  }

  /**
   * A revert takes back an invoice that was being dunned, and with it how far the dunning had come:
   * it begins anew in the old account. A card that an old door gave while theirs was refused pays
   * in the target only once the operator has carried it.
   */
  beginsAnew(member: Member): boolean {
    const { reverted, declined, lateCard } = this.of(member)
    return declined && (reverted || lateCard)
  }

  /**
   * One of two subscriptions of a customer ended while their card was refused: Stripe then stops
   * the collection of the other's invoices, in that account alone. How far the dunning of the other
   * comes depends on where it is billed, and no operator decides it here.
   */
  dunnedApart(worlds: TwinWorlds, member: Member): boolean {
    const theirs = worlds.members.filter(({ customer }) => customer === member.customer)
    return theirs.length > 1 && this.of(member).declined && theirs.some((one) => hasEnded(worlds, one))
  }

  /** After anything that happened: who is on hold by now, and as what. */
  look(worlds: TwinWorlds): void {
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
function hasEnded(worlds: TwinWorlds, member: Member): boolean {
  const { old, twin, successors } = sidesOf(worlds, member)
  return [old, twin, ...successors].some((row) => row !== undefined && !isLive(row))
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
    lateCard: false,
    adopted: false,
    heldAs: undefined,
  }
}

/** What a person can change of an old subscription. */
export function changeable({ moved }: TwinWorlds, { account }: Member, row: SubscriptionRow): string {
  const customer = moved.world.account(account).table(customers).get(row.customer)
  const { items, cancel_at: at, cancel_at_period_end: ends, default_payment_method: method } = row
  const card = method ?? customer?.invoice_settings.default_payment_method ?? null
  return JSON.stringify([items.map(({ price, quantity }) => [price, quantity]), at, ends, card])
}
