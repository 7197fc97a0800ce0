import type {
  Action,
  Blocked,
  Change,
  Deferred,
  Drift,
  GuardReading,
  NextCharge,
  OpenDoor,
  Plan,
  PriceChange,
  Removed,
} from '../../plan/types.ts'
import { splitAddress } from '../../core/address.ts'
import { addressesOf } from '../../plan/assemble.ts'
import { changePhrases, driftLines, endLines, patchLines } from './change-phrase.ts'
import { cardsLine } from './cards-line.ts'
import { carriedBy, type Carried } from './carried.ts'
import { taxLines, type TaxLine } from './tax-lines.ts'
import { actionWords, everyone, firstFew, groupBy, money, plural, shortAddress, shortDigest, when } from './words.ts'

/**
 * A plan arranged for people: the catalog, then the subscribers by action, then what stops the
 * plan. The text and the Markdown show exactly this.
 */
export interface PlanView {
  readonly title: string
  /** Whether the plan can be applied, and what stops it. */
  readonly verdict: string
  readonly accounts: readonly string[]
  readonly resources: readonly ResourceView[]
  readonly people: readonly { readonly action: Action; readonly changes: readonly PersonChange[] }[]
  readonly deferred: readonly { readonly code: string; readonly members: readonly Deferred[] }[]
  readonly blocked: readonly {
    readonly code: string
    readonly reasons: readonly SharedReason[]
    readonly count: number
  }[]
  readonly drift: readonly DriftView[]
  /** Taxes that differ between the accounts, one line for each country. */
  readonly tax: readonly TaxLine[]
  readonly tripped: readonly GuardReading[]
  /** Objects that were removed from the YAML and stay in use. */
  readonly removed: readonly RemovedView[]
  /** Doors that are still open in the source accounts. */
  readonly doors: readonly OpenDoor[]
  /** Empty when the plan concerns no subscriber and no amount. */
  readonly mrr: readonly { readonly currency: string; readonly before: string; readonly after: string }[]
  /** Monthly revenue by outcome of its subscribers: `moves: 49.00 usd (1 subscriber)`. */
  readonly parts: readonly { readonly what: string; readonly amounts: string; readonly people: number }[]
  readonly repriced: readonly RepricedView[]
  readonly summary: string
  /** Every subscriber once, by outcome; empty without any. */
  readonly everyone: string
  readonly empty: boolean
}

/** A change of an object: its description, and one line for each field. */
export interface ResourceView {
  readonly address: string
  readonly action: Action
  readonly people: number
  readonly phrase: string
  readonly lines: readonly string[]
  /** What ends with it. */
  readonly ends: readonly string[]
}

/** An object that was removed from the YAML and stays in use. */
type RemovedView = Omit<Removed, 'ends'> & { readonly ends: readonly string[] }

interface DriftView extends Pick<Drift, 'address' | 'code' | 'message'> {
  readonly lines: readonly string[]
}

export interface PersonChange {
  readonly subscriber: string
  /** `49.00 usd on 2026-12-31 09:15:00 UTC`; empty when no further charge follows. */
  readonly charge: string
  /** How the charge differs from the one without this plan; empty when it is the same. */
  readonly difference: string
  readonly because: string
  /** What the move carries besides the subscription. */
  readonly carried: readonly Carried[]
}

/** A changed price and its subscribers. */
export interface RepricedView {
  readonly address: string
  readonly people: number
  readonly effect: string
  readonly subscribers: readonly { readonly subscriber: string; readonly charge: string; readonly before: string }[]
}

const subscriberActions: readonly Action[] = ['move', 'settle', 'revert', 'grant', 'revoke']

export function planView(plan: Plan): PlanView {
  const charges = new Map(plan.money.next_charges.map((charge) => [charge.subscriber, charge]))
  return {
    title: `Plan ${shortDigest(plan.plan)}, made ${when(plan.created)}, valid until ${when(plan.expires)}`,
    verdict: verdictOf(plan),
    accounts: Object.entries(plan.basis.accounts).map(
      ([name, account]) => `${name} ${account.id}${account.livemode ? ' LIVE' : ' (test)'}`,
    ),
    resources: resourceViews(plan.changes.filter((change) => !subscriberActions.includes(change.action))),
    people: subscriberActions
      .map((action) => ({
        action,
        changes: plan.changes
          .filter((change) => change.action === action)
          .toSorted((a, b) => chargeTime(a, charges) - chargeTime(b, charges))
          .map((change) => person(change, charges)),
      }))
      .filter((group) => group.changes.length > 0),
    removed: (plan.removed ?? []).map((one) => ({ ...one, ends: endLines(one) })),
    doors: plan.doors ?? [],
    deferred: byCode(plan.deferred.toSorted((a, b) => Date.parse(a.until) - Date.parse(b.until))),
    blocked: byCode(plan.blocked).map(({ code, members }) => ({
      code,
      reasons: shared(members),
      count: addressesOf(members).size,
    })),
    drift: plan.drift.map((one) => ({ ...one, lines: driftLines(one) })),
    tax: taxLines(plan),
    tripped: plan.guards.filter((guard) => guard.tripped),
    mrr: concernsMoney(plan) ? revenue(plan) : [],
    parts: concernsMoney(plan) ? parts(plan) : [],
    repriced: (plan.money.price_changes ?? []).map(repricedView),
    summary: summaryLine(plan),
    everyone: Object.values(plan.people).some((count) => count > 0) ? everyone(plan.people) : '',
    empty: plan.changes.length === 0,
  }
}

function resourceViews(changes: readonly Change[]): readonly ResourceView[] {
  const phrases = changePhrases(changes)
  const ofAddress = groupBy(changes, ({ address }) => address)
  return changes.map((change) => ({
    address: change.address,
    action: change.action,
    people: change.people,
    phrase: phrases.get(change.address) ?? '',
    lines: patchLines(change, (ofAddress.get(change.address)?.length ?? 0) > 1),
    ends: endLines('ends' in change ? change : {}),
  }))
}

function verdictOf({ changes, guards, blocked, cards, removed = [] }: Plan): string {
  const tripped = guards.filter((guard) => guard.tripped).length
  const left = removed.length === 0 ? '' : ` ${plural(removed.length, 'object')} removed from the YAML, still in use.`
  const stopped = blocked.length === 0 ? '' : ` ${plural(addressesOf(blocked).size, 'entry', 'entries')} blocked.`
  if (tripped > 0) return `Stopped: ${plural(tripped, 'guard')} would refuse this plan.${stopped}${left}`
  if (changes.length === 0) return `Nothing to do.${stopped}${left}`
  const people = changes.filter((change) => subscriberActions.includes(change.action)).length
  const whom = people === 0 ? 'No subscriber is affected' : `${plural(people, 'change')} for subscribers and members`
  const failing = cardsLine(cards)
  const renewals = failing === '' ? '' : ` ${failing}.`
  return `Can be applied: ${plural(changes.length, 'change')}. ${whom}.${stopped}${left}${renewals}`
}

function revenue({ money: { mrr } }: Plan): PlanView['mrr'] {
  return Object.entries(mrr)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([currency, { before, after }]) => ({
      currency,
      before: money(before, currency),
      after: money(after, currency),
    }))
}

function concernsMoney({ changes, money: { mrr, price_changes: prices }, people }: Plan): boolean {
  return (
    changes.some((change) => subscriberActions.includes(change.action)) ||
    Object.values(mrr).some(({ before, after }) => before !== after) ||
    (prices ?? []).length > 0 ||
    (people['deferred'] ?? 0) + (people['blocked'] ?? 0) > 0
  )
}

const partWords: Readonly<Record<string, string>> = {
  move: 'moves',
  settle: 'settles',
  revert: 'is reverted',
  deferred: 'waits',
  blocked: 'is blocked',
}

/** The revenue by outcome. Revenue that does not change has no line. */
function parts({ money: { by_outcome: all }, people }: Plan): PlanView['parts'] {
  return Object.entries(partWords).flatMap(([outcome, what]) => {
    const sums = Object.entries(all?.[outcome] ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1))
    if (sums.length === 0) return []
    const amounts = sums.map(([currency, amount]) => money(amount, currency)).join(', ')
    return [{ what, amounts, people: people[outcome] ?? 0 }]
  })
}

function repricedView({ address, on_change: onChange, applies, people, mrr, subscribers }: PriceChange): RepricedView {
  const what = splitAddress(address).kind === 'tax_rate' ? 'rate' : 'price'
  // Monthly revenue is without tax.
  const sums = Object.entries(mrr)
    .filter(({ 1: { before, after } }) => what === 'price' || before !== after)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([currency, { before, after }]) => `${money(before, currency)} a month becomes ${money(after, currency)}`)
  const becomes = sums.length === 0 ? '' : `: ${sums.join(', ')}`
  const who = plural(people, 'subscriber')
  const effect =
    onChange === 'new_only'
      ? `${who} on the old ${what} ${people === 1 ? 'keeps' : 'keep'} it (on_change: new_only)`
      : applies
        ? `${who} ${people === 1 ? 'gets' : 'get'} the new ${what} at the next renewal (on_change: at_renewal)${becomes}`
        : `nothing changes yet for ${who}; with on_change: at_renewal${becomes === '' ? ', they would pay' : becomes}`
  return {
    address,
    people,
    effect,
    subscribers: subscribers
      .toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at))
      .map((one) => ({
        subscriber: one.subscriber,
        charge: chargeWords(one),
        before: money(one.before.amount, one.before.currency),
      })),
  }
}

/** `49.00 usd on 2026-12-31 09:15:00 UTC` */
function chargeWords({ amount, currency, at, tax_not_included: untaxed, paused }: NextCharge): string {
  if (paused?.until === null) return 'none while collection is paused; the pause is carried'
  const after = paused === undefined ? '' : `, after the pause until ${when(paused.until)}, which is carried`
  return `${money(amount, currency)}${untaxed === true ? ' plus tax' : ''} on ${when(at)}${after}`
}

function byCode<T extends { readonly code: string }>(all: readonly T[]): { code: string; members: readonly T[] }[] {
  return [...groupBy(all, (one) => one.code)].map(([code, members]) => ({ code, members }))
}

/** Subscribers who are blocked for the same reason share one line. */
interface SharedReason extends Pick<Blocked, 'code' | 'message' | 'fix'> {
  /** `us/sub_1`, `us/sub_1, us/sub_2 and 39 more` */
  readonly who: string
}

const namedMax = 3

function shared(members: readonly Blocked[]): readonly SharedReason[] {
  return [...groupBy(members, ({ code, message, fix }) => JSON.stringify([code, message, fix])).values()].flatMap(
    (same) => {
      const [first] = same
      if (first === undefined) return []
      const { shown, more } = firstFew(same, namedMax)
      const named = shown.map(placed).join(', ')
      const { code, message, fix } = first
      return [{ code, message, fix, who: more === 0 ? named : `${named} and ${more} more` }]
    },
  )
}

/** `price.monthly (catalog/prices.yaml:12:5)` */
function placed({ address, position }: Blocked): string {
  return position === undefined ? shortAddress(address) : `${shortAddress(address)} (${position})`
}

function person(change: Change, charges: ReadonlyMap<string, NextCharge>): PersonChange {
  const subscriber = shortAddress(change.address)
  const charge = charges.get(subscriber)
  return {
    subscriber,
    charge: charge === undefined ? '' : chargeWords(charge),
    difference: charge === undefined ? '' : differenceOf(charge),
    // The heading covers a change of the stage; only other reasons are shown.
    because: change.because.filter((why) => why !== 'stage').join(', '),
    carried: carriedBy(change),
  }
}

/**
 * Sorts subscribers by their next charge. Those without a next charge come last, in the plan's
 * order.
 */
function chargeTime(change: Change, charges: ReadonlyMap<string, NextCharge>): number {
  const at = charges.get(shortAddress(change.address))?.at
  return at === undefined ? Number.MAX_SAFE_INTEGER : Date.parse(at)
}

function differenceOf({ at, amount, currency, before }: NextCharge): string {
  const parts: string[] = []
  if (before.amount !== amount || before.currency !== currency) parts.push(money(before.amount, before.currency))
  if (before.at !== at) parts.push(`on ${when(before.at)}`)
  return parts.length === 0 ? '' : `was ${parts.join(' ')}`
}

/** `12 to create, 24 to move; 31 unchanged, 3 deferred, 2 blocked` */
function summaryLine({ summary, people }: Plan): string {
  const work = (Object.keys(actionWords) as Action[])
    .filter((action) => summary[action] > 0)
    .map((action) => `${summary[action]} ${actionWords[action].noun}`)
  const rest = (['unchanged', 'deferred', 'blocked', 'drift'] as const)
    .filter((word) => summary[word] > 0)
    .map((word) =>
      word === 'drift' ? plural(summary.drift, 'change outside', 'changes outside') : `${summary[word]} ${word}`,
    )
  const others = Object.entries(people)
    .filter(([outcome, count]) => count > 0 && !(outcome in summary) && !outcomesOfActions.has(outcome))
    .map(([outcome, count]) => `${count} ${outcome}`)
  const parts = [work.join(', '), [...rest, ...others].join(', ')].filter((part) => part !== '')
  return parts.length === 0 ? 'nothing declared' : parts.join('; ')
}

/**
 * `people` counts by outcome. These outcomes are already in the first half of the sentence, as
 * actions of the plan.
 */
const outcomesOfActions = new Set(['moved', 'settled', 'reverted', 'deferred', 'blocked', 'unchanged'])
