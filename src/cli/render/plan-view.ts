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
} from '../../plan/types.ts'
import { carriedBy, type Carried } from './carried.ts'
import { taxLines, type TaxLine } from './tax-lines.ts'
import { actionWords, firstFew, groupBy, money, plural, shortAddress, when } from './words.ts'

/** A plan arranged for reading: the catalog, then people by what happens to them, then what stops. Both renderings show exactly this. */
export interface PlanView {
  readonly title: string
  readonly accounts: readonly string[]
  readonly resources: readonly Change[]
  readonly people: readonly { readonly action: Action; readonly changes: readonly PersonChange[] }[]
  readonly deferred: readonly { readonly code: string; readonly members: readonly Deferred[] }[]
  readonly blocked: readonly {
    readonly code: string
    readonly reasons: readonly SharedReason[]
    readonly count: number
  }[]
  readonly drift: readonly Drift[]
  /** Taxes that differ between the accounts, a country a line. */
  readonly tax: readonly TaxLine[]
  readonly tripped: readonly GuardReading[]
  /** What still stands open in the accounts that people leave. */
  readonly doors: readonly OpenDoor[]
  /** Empty when nobody is in the plan. */
  readonly mrr: readonly { readonly currency: string; readonly before: string; readonly after: string }[]
  readonly summary: string
  readonly empty: boolean
}

export interface PersonChange {
  readonly subscriber: string
  /** `49.00 usd on 2026-12-31 09:15:00 UTC`; empty when nothing more will be billed. */
  readonly charge: string
  /** How the charge differs from the one without this plan; empty when it is the same. */
  readonly difference: string
  readonly because: string
  /** What goes along beside the subscription. */
  readonly carried: readonly Carried[]
}

const subscriberActions: readonly Action[] = ['move', 'settle', 'revert', 'grant', 'revoke']

export function planView(plan: Plan): PlanView {
  const charges = new Map(plan.money.next_charges.map((charge) => [charge.subscriber, charge]))
  return {
    title: `Plan ${plan.plan.slice(0, 12)}, made ${when(plan.created)}, good until ${when(plan.expires)}`,
    accounts: Object.entries(plan.basis.accounts).map(
      ([name, account]) => `${name} ${account.id}${account.livemode ? ' LIVE' : ' (test)'}`,
    ),
    resources: plan.changes.filter((change) => !subscriberActions.includes(change.action)),
    people: subscriberActions
      .map((action) => ({
        action,
        changes: plan.changes.filter((change) => change.action === action).map((change) => person(change, charges)),
      }))
      .filter((group) => group.changes.length > 0),
    doors: plan.doors ?? [],
    deferred: grouped(plan.deferred),
    blocked: grouped(plan.blocked).map(({ code, members }) => ({
      code,
      reasons: shared(members),
      count: members.length,
    })),
    drift: plan.drift,
    tax: taxLines(plan),
    tripped: plan.guards.filter((guard) => guard.tripped),
    mrr: plan.changes.some((change) => subscriberActions.includes(change.action)) ? revenue(plan) : [],
    summary: summaryLine(plan),
    empty: plan.changes.length === 0,
  }
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

function grouped<T extends { readonly code: string }>(all: readonly T[]): { code: string; members: readonly T[] }[] {
  return [...groupBy(all, (one) => one.code)].map(([code, members]) => ({ code, members }))
}

/** Those who are stopped for the same reason stand on one line. */
export interface SharedReason extends Pick<Blocked, 'code' | 'message' | 'fix'> {
  /** `us/sub_1`, `us/sub_1, us/sub_2 and 39 more` */
  readonly who: string
}

const namedMax = 3

export function shared(members: readonly Blocked[]): readonly SharedReason[] {
  return [...groupBy(members, ({ code, message, fix }) => JSON.stringify([code, message, fix])).values()].flatMap(
    (same) => {
      const [first] = same
      if (first === undefined) return []
      const { shown, more } = firstFew(same, namedMax)
      const named = shown.map(({ address }) => shortAddress(address)).join(', ')
      const { code, message, fix } = first
      return [{ code, message, fix, who: more === 0 ? named : `${named} and ${more} more` }]
    },
  )
}

function person(change: Change, charges: ReadonlyMap<string, NextCharge>): PersonChange {
  const subscriber = shortAddress(change.address)
  const charge = charges.get(subscriber)
  return {
    subscriber,
    charge: charge === undefined ? '' : `${money(charge.amount, charge.currency)} on ${when(charge.at)}`,
    difference: charge === undefined ? '' : differenceOf(charge),
    // The heading says that the stage was written; anything else is worth a word.
    because: change.because.filter((why) => why !== 'stage').join(', '),
    carried: carriedBy(change),
  }
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

/** `people` counts by outcome; those that are actions of this plan are in the first half of the sentence already. */
const outcomesOfActions = new Set(['moved', 'settled', 'reverted', 'deferred', 'blocked', 'unchanged'])
