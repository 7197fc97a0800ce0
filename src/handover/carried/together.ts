import type Stripe from 'stripe'
import type { SubscriberKey } from '../../core/address.ts'
import { formatInstant } from '../../core/instant.ts'
import { formatMoney } from '../../core/money.ts'
import { hasHoldMark, isOver } from '../../live/subscription.ts'
import type { Candidate } from '../candidate.ts'
import { goesOn, type Decided } from '../decided.ts'
import { blocked } from '../reasons.ts'
import { balanceMissed, isSplitKnown } from '../split-money.ts'
import type { Classification, Goal, Outcome } from '../types.ts'

type Way = Extract<Goal, 'move' | 'revert'>

/**
 * Money of a customer (a balance, an item without subscription, a discount for one renewal) is used
 * by the next invoice of any of their subscriptions. Split over two accounts, one of them would be
 * charged without it. So the subscriptions of a customer who has such money leave an account
 * together, or wait for each other:
 *
 * | the subscription that stays  | the others                                     |
 * |------------------------------|------------------------------------------------|
 * | waits for a date             | deferred until then (`sibling_waits`)          |
 * | stays for any other reason   | blocked (`customer_split`), with its name      |
 * | any, named under `override`  | leave without the money, and the plan says so  |
 *
 * An item is no money to leave behind: the hold of the subscription that left would void it.
 */
export function withCustomersTogether(decided: readonly Decided[]): readonly Decided[] {
  const outcomes = new Map<SubscriberKey, Outcome>()
  const apart = new Map<SubscriberKey, Apart>()
  const companies = new Map<SubscriberKey, readonly SubscriberKey[]>()
  const byCustomer = Map.groupBy(decided, ({ candidate }) =>
    candidate === undefined ? '' : `${candidate.desired.source}/${candidate.old.customer}`,
  )
  byCustomer.delete('')
  for (const own of byCustomer.values())
    for (const way of ['move', 'revert'] as const) {
      const going = own.filter(({ classification }) => classification.outcome === way)
      const staying = stayersOf(own, way)
      for (const one of going) {
        const candidate = one.candidate
        if (candidate === undefined) continue
        const shared = sharedMoney(
          candidate,
          way,
          staying.length > 0 ? staying : going.map(({ candidate: c }) => c?.old.raw),
        )
        if (shared.length === 0) continue
        const words = shared.map(({ said }) => said).join(' and ')
        if (isSplitKnown(candidate) && !shared.some(({ isItem }) => isItem)) {
          if (staying.length > 0) apart.set(one.classification.key, { candidate, way, words })
        } else if (staying.length > 0)
          outcomes.set(one.classification.key, waitFor(staying, { own, way, candidate, words }))
        else if (going.length > 1)
          companies.set(
            one.classification.key,
            going.filter((each) => each !== one).map(({ classification }) => classification.key),
          )
      }
    }
  return decided.map((one) => {
    const { key } = one.classification
    const outcome = outcomes.get(key)
    if (outcome !== undefined) return { ...one, classification: instead(one.classification, outcome) }
    const alone = apart.get(key)
    if (alone !== undefined) return { ...one, classification: leavingBehind(one.classification, alone) }
    const together = companies.get(key)
    return together === undefined ? one : { ...one, classification: inCompany(one.classification, together) }
  })
}

/**
 * A later decision about one of them, such as a tax that differs, also keeps the others: who leaves
 * with others leaves only if all of them still do.
 */
export function keptTogether(classified: readonly Classification[]): readonly Classification[] {
  const byKey = new Map(classified.map((one) => [one.key, one]))
  return classified.map((one) => {
    const together = 'plan' in one ? (one.plan.expect.together ?? []) : []
    const missing = together.map((key) => byKey.get(key)).find((other) => other?.outcome !== one.outcome)
    if (missing === undefined) return one
    const message = `${missing.key} of the same customer ${whyItStays(missing)}, and both share money of the customer`
    return instead(one, { outcome: 'blocked', reasons: [blocked('customer_split', message)] })
  })
}

function instead({ key, standing, successor, drift, monthly }: Classification, outcome: Outcome): Classification {
  return { key, standing, successor, drift, ...(monthly === undefined ? {} : { monthly }), ...outcome }
}

function inCompany(classification: Classification, together: readonly SubscriberKey[]): Classification {
  if (!('plan' in classification)) return classification
  const { plan } = classification
  return { ...classification, plan: { ...plan, expect: { ...plan.expect, together } } }
}

interface Apart {
  readonly candidate: Candidate
  readonly way: Way
  readonly words: string
}

/** The plan shows what the account that is left would have charged: with the customer's balance. */
function leavingBehind(classification: Classification, { candidate, way, words }: Apart): Classification {
  if (!('plan' in classification)) return classification
  const { plan } = classification
  const { charge } = plan
  const [customer, account] =
    way === 'move' ? [candidate.customerOld, candidate.desired.source] : [candidate.customerNew, 'the target']
  const split = `the renewal is charged without ${words} of customer ${customer?.id ?? ''}, which stays in ${account}`
  if (charge === null) return { ...classification, split }
  const missed = way === 'move' ? balanceMissed(candidate) : (customer?.balance ?? 0)
  const before = { ...charge.before, amount: Math.max(0, charge.before.amount + missed) }
  return { ...classification, split, plan: { ...plan, charge: { ...charge, before } } }
}

/** Live subscriptions of the customer that will bill in the account that others leave. */
function stayersOf(own: readonly Decided[], way: Way): readonly Stripe.Subscription[] {
  const first = own.find(({ candidate }) => candidate !== undefined)?.candidate
  if (first === undefined) return []
  const { around, desired, old } = first
  const outcomeOf = new Map(
    own.flatMap(({ candidate, classification }) =>
      (way === 'move' ? [candidate?.old.id] : [candidate?.successor?.id]).map((id) => [id, classification.outcome]),
    ),
  )
  const isGoing = ({ id }: Stripe.Subscription): boolean => outcomeOf.get(id) === way
  if (way === 'revert') {
    const customer = own.find(({ classification }) => classification.outcome === way)?.candidate?.customerNew?.id ?? ''
    return (around.targetByCustomer.get(customer) ?? []).filter((one) => !isGoing(one) && !isOver(one))
  }
  const all = around.sources.get(desired.source)?.byCustomer.get(old.customer) ?? []
  return all.filter((one) => !isGoing(one) && (hasHoldMark(one) ? outcomeOf.get(one.id) === 'revert' : goesOn(one)))
}

interface Shared {
  readonly said: string
  readonly isItem: boolean
}

const other = (said: string): Shared => ({ said, isItem: false })

/** What the customer's subscriptions share in the account that this one leaves, in words. */
function sharedMoney(
  { old, customerOld, customerNew, source, around }: Candidate,
  way: Way,
  others: readonly (Stripe.Subscription | undefined)[],
): readonly Shared[] {
  const [customer, account] = way === 'move' ? [customerOld, source] : [customerNew, around.target]
  if (customer === undefined) return []
  const balance = customer.balance
  const items = (account.pendingItems.get(customer.id) ?? []).filter(
    ({ parent, amount }) => amount !== 0 && !parent?.subscription_details?.subscription,
  )
  return [
    ...(balance === 0 ? [] : [other(`a balance of ${formatMoney({ amount: balance, currency: old.currency })}`)]),
    ...items.map((item) => ({ said: `item ${item.id} of ${formatMoney(item)}`, isItem: true })),
    ...(way === 'move' && isOnceShared(old.raw, customer, others) ? [other('a discount for one renewal')] : []),
  ]
}

/** A discount of the customer that applies once: the first of those who inherit it uses it up. */
function isOnceShared(
  { id, discounts }: Stripe.Subscription,
  { discount }: Stripe.Customer,
  others: readonly (Stripe.Subscription | undefined)[],
): boolean {
  const coupon = discount?.source.coupon
  if (typeof coupon !== 'object' || coupon?.duration !== 'once' || discounts.length > 0) return false
  return others.some((one) => one !== undefined && one.id !== id && one.discounts.length === 0)
}

interface About {
  readonly own: readonly Decided[]
  readonly way: Way
  readonly candidate: Candidate
  readonly words: string
}

function waitFor(staying: readonly Stripe.Subscription[], { own, way, candidate, words }: About): Outcome {
  const account = way === 'move' ? candidate.desired.source : 'the target'
  const known = staying.map((one) => {
    const decided = own.find(
      (each) => (way === 'move' ? each.candidate?.old.id : each.candidate?.successor?.id) === one.id,
    )
    return { id: one.id, classification: decided?.classification }
  })
  const shares = `both share ${words} of customer ${(way === 'move' ? candidate.customerOld : candidate.customerNew)?.id} in ${account}`
  const lasting = known.find(({ classification }) => classification?.outcome !== 'deferred')
  if (lasting === undefined) {
    const waits = known.flatMap(({ classification: one }) => (one?.outcome === 'deferred' ? [one] : []))
    const [last] = waits.toSorted((a, b) => b.until - a.until)
    if (last !== undefined)
      return {
        outcome: 'deferred',
        code: 'sibling_waits',
        until: last.until,
        message: `${last.key} of the same customer ${whyItStays(last)}; ${shares}`,
      }
  }
  const name = lasting?.classification?.key ?? `${lasting?.id} in ${account}`
  const why = lasting?.classification === undefined ? 'is in no subscriber file' : whyItStays(lasting.classification)
  return {
    outcome: 'blocked',
    reasons: [blocked('customer_split', `${name} of the same customer ${why}; ${shares}`)],
  }
}

function whyItStays(one: Classification): string {
  if (one.outcome === 'deferred') return `waits until ${formatInstant(one.until)} (${one.code})`
  if (one.outcome === 'blocked') return `is blocked (${one.reasons[0].code})`
  return one.outcome === 'excluded' ? 'is excluded' : 'stays where it is'
}
