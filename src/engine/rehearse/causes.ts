import { idOf } from '../../core/reference.ts'
import { hasBegun, hasHoldMark } from '../../live/subscription.ts'
import { formatInstant, instant, type Instant } from '../../core/instant.ts'
import { isJsonObject, type JsonObject, type StripeObject } from '../../core/json.ts'
import { alarmCodes, blockedCodes, type CodeEntry, deferredCodes } from '../../handover/codes.ts'
import { runCodes } from '../../handover/run-codes.ts'
import { markFrom } from '../../live/marks.ts'

import { listAll } from '../read/lists.ts'
import type { Migration } from './migration.ts'
import type { RehearsalDifference } from './report.ts'
import { said, termsOf } from './terms.ts'
import type { RehearsalWorld } from './world.ts'

export type Found = Omit<RehearsalDifference, 'cause' | 'evidence' | 'remedy'> & {
  /** The fix that the hand-over itself names. */
  readonly fix?: string
}

interface Cause {
  /** One sentence for all subscribers who share it. */
  readonly cause: string
  /** The details of this subscriber. */
  readonly evidence?: string
}

const remedies: Readonly<Record<RehearsalDifference['code'], string>> = {
  double: 'Do not apply this wave. Exclude these members with a reason, and report the seed.',
  missed: 'Do not apply this wave. Exclude these members with a reason, and report the seed.',
  amount_differs: 'Compare the prices, discounts and tax rates that the mappings join.',
  date_differs: 'Exclude these members until the reason for the moved billing date is known, and report the seed.',
  two_payers: 'Do not apply this wave. Exclude these members with a reason, and report the seed.',
  not_moved: 'Exclude these members with a reason, or correct what stopped the hand-over.',
}

/** Finds the cause of every difference from the final state of both runs. */
export async function explained(
  worlds: { readonly stay: RehearsalWorld; readonly move: RehearsalWorld },
  { left }: Migration,
  found: readonly Found[],
): Promise<readonly RehearsalDifference[]> {
  if (found.length === 0) return []
  const seen = await readEnds(worlds)
  const twice = new Set(found.filter(({ code }) => code === 'two_payers').map(({ subscriber }) => subscriber))
  return found.map((one) => {
    const { fix, ...difference } = one
    const about = { ...seen, left: left.get(one.subscriber), twoPayers: twice.has(one.subscriber) }
    return { ...difference, ...causeOf(one, about), remedy: fix ?? remedies[one.code] }
  })
}

interface Ends {
  /** By subscriber, in the control run. */
  readonly expected: ReadonlyMap<string, StripeObject>
  readonly old: ReadonlyMap<string, StripeObject>
  /** The newest subscription in the target. */
  readonly successors: ReadonlyMap<string, StripeObject>
}

interface About extends Ends {
  /** When and how the member left. */
  readonly left: { readonly act: string; readonly at: Instant } | undefined
  readonly twoPayers: boolean
}

const expand = ['data.discounts.source.coupon']

async function readEnds(worlds: { readonly stay: RehearsalWorld; readonly move: RehearsalWorld }): Promise<Ends> {
  const olds = async ({ accounts }: RehearsalWorld): Promise<ReadonlyMap<string, StripeObject>> => {
    const all = new Map<string, StripeObject>()
    for (const [name, account] of accounts.sources)
      for (const one of await listAll(account, '/v1/subscriptions', { status: 'all', expand }))
        all.set(`${name}/${one.id}`, one)
    return all
  }
  const theirs = await listAll(worlds.move.accounts.target, '/v1/subscriptions', { status: 'all', expand })
  const successors = theirs.toReversed().flatMap((one) => {
    const from = isJsonObject(one['metadata']) ? one['metadata'][markFrom] : undefined
    return typeof from === 'string' ? [[from, one] as const] : []
  })
  return { expected: await olds(worlds.stay), old: await olds(worlds.move), successors: new Map(successors) }
}

function causeOf(found: Found, about: About): Cause {
  const successor = about.successors.get(found.subscriber)
  switch (found.code) {
    case 'not_moved':
      return notMoved(found)
    case 'two_payers':
      return found.detail.includes('target')
        ? { cause: 'A new subscription was created or released while another one could still charge.' }
        : { cause: 'Two subscriptions could charge at once.' }
    case 'double':
      return double(found, about, successor)
    case 'missed':
      return missed(about.old.get(found.subscriber), successor)
    case 'amount_differs':
    case 'date_differs':
      return otherTerms(about.expected.get(found.subscriber), successor)
  }
}

function notMoved({ detail }: Found): Cause {
  const registry: Readonly<Record<string, CodeEntry | undefined>> = {
    ...deferredCodes,
    ...blockedCodes,
    ...runCodes,
    ...alarmCodes,
  }
  const code = detail.split(', ')[1] ?? ''
  return { cause: registry[code]?.meaning ?? 'The hand-over did not finish.' }
}

function double({ at, detail }: Found, { left, twoPayers }: About, successor: StripeObject | undefined): Cause {
  if (left !== undefined && left.at <= at) {
    const evidence = `${left.act} at ${formatInstant(left.at)}`
    return { cause: 'The member had left and was still charged.', evidence }
  }
  if (twoPayers) return { cause: 'Two subscriptions of the same member charged in parallel: see the two payers.' }
  if (detail.includes('charged by target'))
    return { cause: 'The new subscription charged where the old one would not have.' }
  if (successor === undefined)
    return { cause: 'The old account charged what it would not have charged, and there is no new subscription.' }
  return {
    cause: 'The old account charged although a new subscription had been made.',
    evidence: `the new one is ${successor.id}, ${said(successor['status'])}`,
  }
}

function missed(old: StripeObject | undefined, successor: StripeObject | undefined): Cause {
  if (successor === undefined)
    return old !== undefined && hasHoldMark(old)
      ? { cause: 'The old subscription is on hold, and no new one was made.' }
      : { cause: 'Neither account charged, and there is no new subscription.' }
  const { status, ended_at: endedAt, cancellation_details: details } = successor
  const reason = isJsonObject(details) ? details['reason'] : undefined
  if (typeof endedAt === 'number' || !hasBegun(successor)) {
    const when = typeof endedAt === 'number' ? ` at ${formatInstant(instant(endedAt))}` : ''
    const why = typeof reason === 'string' ? `, ${reason}` : ''
    return {
      cause: 'The new subscription ended without a cancel request.',
      evidence: `${successor.id} is ${said(status)}${when}${why}`,
    }
  }
  return {
    cause: 'The new subscription is live, but did not charge.',
    evidence: `${successor.id} is ${said(status)}: ${termsOf(successor).join('; ')}`,
  }
}

function otherTerms(expected: StripeObject | undefined, successor: JsonObject | undefined): Cause {
  if (expected === undefined || successor === undefined)
    return { cause: 'The old account itself charged differently, without a new subscription.' }
  const [was, is] = [termsOf(expected), termsOf(successor)]
  const gone = was.filter((term) => !is.includes(term))
  const come = is.filter((term) => !was.includes(term))
  if (gone.length + come.length === 0)
    return { cause: 'Both subscriptions have the same terms now. Their terms at that time differed.' }
  return {
    cause: 'The terms of the new subscription differ from those of the old one.',
    evidence: `old: ${gone.join('; ') || 'nothing else'}; new (${idOf(successor)}): ${come.join('; ') || 'nothing else'}`,
  }
}
