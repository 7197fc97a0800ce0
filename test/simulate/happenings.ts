import type { Stage } from '../../src/catalog/types.ts'
import type { Chance } from './chance.ts'
import type { Checkout } from './checkouts.ts'
import type { Arrival } from './service.ts'

/**
 * What a member changes: card, plan, quantity, the end of the subscription (and its withdrawal), a
 * pause.
 */
const edits = ['card', 'plan', 'quantity', 'end', 'keep', 'pause', 'unpause'] as const
export type Edit = (typeof edits)[number]

/**
 * One event of a story. A story is a list of events, so that a failing one can be shortened.
 * Members are counted by index; after the last index it starts again with the first.
 */
export type Happening =
  /** Time passes, up to several weeks at once. */
  | { readonly do: 'days'; readonly days: number }
  /** A person edits the YAML: one member, or every member, gets this stage. */
  | { readonly do: 'stage'; readonly member: number; readonly stage: Stage }
  | { readonly do: 'wave'; readonly stage: Stage }
  | {
      readonly do: 'apply'
      readonly diesAt: number | undefined
      readonly faults: number | undefined
      /**
       * After the kill the next life follows at once; its end is compared with a run without a
       * kill.
       */
      readonly beside?: true
      /** The machine that runs it; the laptop by default. */
      readonly from?: Checkout
      /** With faults: requests answered with a 5xx are executed so many seconds later. */
      readonly late?: number
    }
  /** The state folder of the laptop is copied to another machine, where it grows old. */
  | { readonly do: 'keep a copy' }
  /** A run stops in the middle of a request (a closed lid, a paused machine) and stays stopped. */
  | { readonly do: 'freeze'; readonly from: Checkout; readonly stopsAt: number }
  /** It goes on as if nothing had happened. */
  | { readonly do: 'thaw' }
  /** A person deletes the customer, in the account that has the old one or in the target. */
  | {
      readonly do: 'delete customer'
      readonly member: number
      readonly where: 'old' | 'new'
      readonly diesAt: number | undefined
    }
  /** A coupon of an old account is deleted, and its id used again for other terms. */
  | { readonly do: 'reuse coupon'; readonly account: 'us' | 'intl'; readonly coupon: 'welcome' | 'forever' }
  /** A wrong entry stands in the YAML beside the right ones, until the next pull. */
  | { readonly do: 'wrong entry'; readonly what: 'subscriber' | 'price' }
  /** A price of the catalog gets another amount for new subscribers. */
  | { readonly do: 'new amount'; readonly price: number }
  /**
   * A plan is made and saved for review. On another day it is applied from its file, perhaps after
   * a change of the file.
   */
  | { readonly do: 'save plan' }
  | { readonly do: 'apply saved'; readonly tampered: boolean }
  | {
      readonly do: 'cancel'
      readonly member: number
      readonly by: 'hook' | 'signal' | 'new door' | 'old door'
      readonly arrives: Arrival
      readonly diesAt: number | undefined
    }
  /** An old hook arrives again, long after the first time. */
  | { readonly do: 'old hook'; readonly which: number }
  /**
   * `own`: in the portal of the account that bills the member. `old`: by an old link, whichever
   * account bills.
   */
  | { readonly do: 'edit'; readonly member: number; readonly what: Edit; readonly door: 'own' | 'old' }
  /** The operator makes a member's change on the other side as well and declares it in the YAML. */
  | { readonly do: 'carry'; readonly member: number }
  | { readonly do: 'decline'; readonly member: number }
  | { readonly do: 'accept'; readonly member: number }
  /** A forgotten checkout link of the old account sells again. */
  | { readonly do: 'old checkout'; readonly member: number }
  /**
   * An old integration adds an invoice item to a held subscription; the operator bills it in the
   * target before time passes.
   */
  | { readonly do: 'item'; readonly member: number }
  /** A member enters a card through their card link, and perhaps never returns from the page. */
  | { readonly do: 'card link'; readonly member: number; readonly returns: boolean }
  /** Support ends a discount in the old account, where the subscription is on hold. */
  | { readonly do: 'remove coupon'; readonly member: number }
  /** Two lines of the copy map have each other's new ids, until the next import. */
  | { readonly do: 'mix copies' }
  /** Target and source are exchanged in project.yaml, for one run. */
  | { readonly do: 'exchange accounts' }
  /** A tax rate of the catalog gets another percentage for new subscribers. */
  | { readonly do: 'new rate' }
  /** The draft of a renewal in the old account takes an item. */
  | { readonly do: 'draft with item'; readonly member: number }
  /** A payment is disputed, in an account that then cancels its subscription. */
  | { readonly do: 'dispute'; readonly member: number; readonly diesAt: number | undefined }
  /** Somebody at the school gives the newest payment back. */
  | { readonly do: 'give back'; readonly member: number; readonly how: 'refund' | 'credit note' }
  /** A credit note lowers an unpaid invoice; or the member pays it on its page. */
  | { readonly do: 'give up'; readonly member: number }
  | { readonly do: 'pay page'; readonly member: number }
  /** The bank replaces a card, and the old account alone hears of it. */
  | { readonly do: 'replace card'; readonly member: number }
  /** Somebody at the school waives an unpaid period, and perhaps says so in the YAML. */
  | {
      readonly do: 'waive'
      readonly member: number
      readonly how: 'void' | 'mark_uncollectible'
      readonly said: boolean
    }
  /** The card of a held old subscription is detached in the old account. */
  | { readonly do: 'lose card'; readonly member: number }
  /** Another copy, its import, and another pull. */
  | { readonly do: 'pull' }
  /** A member's entry is removed from the YAML. */
  | { readonly do: 'erase'; readonly member: number }
  /** An offer is revoked in Kajabi. */
  | { readonly do: 'revoke'; readonly member: number }
  | { readonly do: 'poll' }
  /** The clock of the service's machine is changed. */
  | { readonly do: 'clock'; readonly hours: number }
  | { readonly do: 'lose the store' }

/** About thirty events in a school with this many members. */
export function randomHappenings(random: Chance, people: number): Happening[] {
  // Most schools begin by moving every member, because the stories are about moved members.
  const wave: readonly Happening[] = random.happens(0.6) ? [{ do: 'wave', stage: 'target' }, appliedAt(random)] : []
  return [...wave, ...Array.from({ length: random.between(14, 28) }, () => randomHappening(random, people))]
}

/** Items are added at any time, some of them while another action is incomplete. */
export function withItems(random: Chance, happenings: readonly Happening[], people: number): Happening[] {
  return happenings.flatMap((one): Happening[] =>
    random.happens(0.08) ? [one, { do: 'item', member: random.between(0, people - 1) }] : [one],
  )
}

/** Members enter cards through their links at any time. */
export function withCardLinks(random: Chance, happenings: readonly Happening[], people: number): Happening[] {
  return happenings.flatMap((one): Happening[] =>
    random.happens(0.3)
      ? [one, { do: 'card link', member: random.between(0, people - 1), returns: random.happens(0.6) }]
      : [one],
  )
}

/** What happens around several machines, and what other people do to the accounts and the YAML. */
export function withMachines(random: Chance, happenings: readonly Happening[], people: number): Happening[] {
  const wider: Happening[] = happenings.flatMap((one): Happening[] => {
    if (one.do !== 'apply' || one.beside === true) return [one]
    const from = random.next() < 0.45 ? random.one(['ci', 'ci', 'old copy'] as const) : 'laptop'
    const isLate = one.faults !== undefined && random.happens(0.6)
    return [{ ...one, from, ...(isLate ? { late: random.between(1, 1_200) } : {}) }]
  })
  for (const [weight, make] of wideMakers) {
    if (!random.happens(weight)) continue
    const anywhere = random.between(Math.min(2, wider.length), wider.length)
    const one = make(random, random.between(0, people - 1))
    // A run stops in its work only where there is work: before one that would do it.
    const applies = wider.flatMap((other, index) => (other.do === 'apply' ? [index] : []))
    const at =
      one.do === 'freeze' && applies.length > 0
        ? (applies[anywhere % Math.min(3, applies.length)] ?? anywhere)
        : anywhere
    wider.splice(at, 0, one)
    // It goes on after a few other things have happened.
    if (one.do === 'freeze') wider.splice(at + 1 + random.between(0, 4), 0, { do: 'thaw' })
  }
  return wider
}

/** What people do wrong around the migration, or do in an account in the middle of it. */
export function withMistakes(random: Chance, happenings: readonly Happening[], people: number): Happening[] {
  const all = [...happenings]
  for (const [weight, make] of mistakeMakers)
    if (random.happens(weight)) {
      const one = make(random, random.between(0, people - 1))
      all.splice(random.between(Math.min(2, all.length), all.length), 0, one)
    }
  return all
}

const mistakeMakers: readonly (readonly [number, WideMaker])[] = [
  [0.5, (_, member) => ({ do: 'remove coupon', member })],
  [0.4, (_, member) => ({ do: 'remove coupon', member })],
  [0.3, () => ({ do: 'mix copies' })],
  [0.3, () => ({ do: 'exchange accounts' })],
  [0.25, () => ({ do: 'new rate' })],
  [0.7, (_, member) => ({ do: 'draft with item', member })],
]

/** What banks, card networks and people at the Dashboard do. */
export function withBanks(random: Chance, happenings: readonly Happening[], people: number): Happening[] {
  const all = [...happenings]
  for (const [weight, make] of bankMakers)
    if (random.happens(weight)) {
      const one = make(random, random.between(0, people - 1))
      const at = random.between(Math.min(2, all.length), all.length)
      // An invoice is unpaid only after a refused payment.
      const before: Happening[] =
        one.do === 'give up' || one.do === 'pay page'
          ? [
              { do: 'decline', member: one.member },
              { do: 'days', days: random.between(25, 34) },
            ]
          : []
      all.splice(at, 0, ...before, one)
    }
  return all
}

const bankMakers: readonly (readonly [number, WideMaker])[] = [
  [0.3, (random, member) => ({ do: 'dispute', member, diesAt: maybeDies(random) })],
  [0.5, (random, member) => ({ do: 'give back', member, how: random.one(['refund', 'credit note'] as const) })],
  [0.3, (_, member) => ({ do: 'give up', member })],
  [0.3, (_, member) => ({ do: 'pay page', member })],
  [0.3, (_, member) => ({ do: 'replace card', member })],
]

/** A school that waives periods, and cards that go while nobody charges them. */
export function withWaives(random: Chance, happenings: readonly Happening[], people: number): Happening[] {
  const all = [...happenings]
  for (const weight of [0.8, 0.8, 0.4]) {
    if (!random.happens(weight)) continue
    const member = random.between(0, people - 1)
    const how = random.one(['void', 'mark_uncollectible'] as const)
    const at = random.between(Math.min(2, all.length), all.length)
    const deeds: readonly Happening[] = random.happens(0.6)
      ? [
          { do: 'decline', member },
          { do: 'days', days: random.between(25, 34) },
          { do: 'waive', member, how, said: random.happens(0.6) },
          { do: 'accept', member },
        ]
      : [{ do: 'lose card', member }]
    // The school moves the member back afterwards.
    all.splice(at, 0, ...deeds, { do: 'stage', member, stage: 'source' }, appliedAt(random))
  }
  return all
}

type WideMaker = (random: Chance, member: number) => Happening

const wideMakers: readonly (readonly [number, WideMaker])[] = [
  [0.4, () => ({ do: 'keep a copy' })],
  [
    0.5,
    (random) => ({
      do: 'freeze',
      from: random.one(['laptop', 'ci', 'ci', 'old copy'] as const),
      stopsAt: random.between(0, 30),
    }),
  ],
  [0.2, (random) => ({ do: 'freeze', from: 'ci', stopsAt: random.between(0, 16) })],
  [0.15, (random, member) => ({ do: 'delete customer', member, where: 'old', diesAt: maybeDies(random) })],
  [0.15, (random, member) => ({ do: 'delete customer', member, where: 'new', diesAt: maybeDies(random) })],
  [
    0.25,
    (random) => ({
      do: 'reuse coupon',
      account: random.one(['us', 'intl'] as const),
      coupon: random.one(['welcome', 'forever'] as const),
    }),
  ],
  [0.25, (random) => ({ do: 'wrong entry', what: random.one(['subscriber', 'price'] as const) })],
  [0.2, (random) => ({ do: 'new amount', price: random.between(0, 5) })],
]

const maybeDies = (random: Chance): number | undefined => maybe(random, 0.3, () => random.between(0, 5))

const maybe = <T>(random: Chance, probability: number, value: () => T): T | undefined =>
  random.happens(probability) ? value() : undefined

function appliedAt(random: Chance): Happening {
  const faults = maybe(random, 0.35, () => random.between(1, 1_000_000))
  const diesAt = maybe(random, 0.5, () => random.between(0, 20))
  const beside = diesAt !== undefined && faults === undefined && random.happens(0.4)
  return { do: 'apply', diesAt, faults, ...(beside ? { beside } : {}) }
}

function randomHappening(random: Chance, people: number): Happening {
  const member = random.between(0, people - 1)
  const stage = random.one(['target', 'target', 'target', 'source', 'source', 'settled'] as const)
  const pick = random.next() * weightOfAll
  let sum = 0
  const make = makers.find(([weight]) => (sum += weight) > pick)?.[1] ?? makers[0][1]
  return make(random, { member, stage })
}

type Maker = (random: Chance, about: { readonly member: number; readonly stage: Stage }) => Happening

const makers: readonly [readonly [number, Maker], ...(readonly [number, Maker])[]] = [
  [20, (random) => ({ do: 'days', days: random.happens(0.15) ? random.between(21, 50) : random.between(1, 20) })],
  [20, (_, { member, stage }) => ({ do: 'stage', member, stage })],
  [4, (_, { stage }) => ({ do: 'wave', stage })],
  [22, appliedAt],
  [4, () => ({ do: 'save plan' })],
  [4, (random) => ({ do: 'apply saved', tampered: random.happens(0.15) })],
  [
    7,
    (random, { member }) => ({
      do: 'cancel',
      member,
      by: random.one(['hook', 'hook', 'hook', 'signal', 'new door', 'old door'] as const),
      arrives: random.one(['once', 'twice', 'late', 'lost'] as const),
      diesAt: maybe(random, 0.5, () => random.between(0, 5)),
    }),
  ],
  [2, (random) => ({ do: 'old hook', which: random.between(0, 3) })],
  [
    9,
    (random, { member }) => ({
      do: 'edit',
      member,
      what: random.one(edits),
      door: random.one(['own', 'own', 'old'] as const),
    }),
  ],
  [4, (_, { member }) => ({ do: 'carry', member })],
  [2, (_, { member }) => ({ do: 'decline', member })],
  [2, (_, { member }) => ({ do: 'accept', member })],
  [1, (_, { member }) => ({ do: 'old checkout', member })],
  [5, () => ({ do: 'pull' })],
  [1, (_, { member }) => ({ do: 'erase', member })],
  [2, (_, { member }) => ({ do: 'revoke', member })],
  [1, () => ({ do: 'poll' })],
  [2, (random) => ({ do: 'clock', hours: random.between(-12, 48) })],
  [3, () => ({ do: 'lose the store' })],
]
const weightOfAll = makers.reduce((sum, [weight]) => sum + weight, 0)
