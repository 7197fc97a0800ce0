import { formatInstant } from '../../core/instant.ts'
import { blockedCodes, deferredCodes, type CodeEntry } from '../../handover/codes.ts'
import { cardCodes } from '../../handover/card-codes.ts'
import { violations } from '../../handover/violation-codes.ts'
import type { Classification } from '../../handover/types.ts'
import { leftOutBlocked } from '../../plan/left-out.ts'
import { noticeCodes } from '../../plan/notice-codes.ts'
import { subscriberAddress } from '../../core/address.ts'
import type { CardFinding } from '../../handover/cards.ts'
import { check } from '../check/check.ts'
import { noticesOf } from '../plan/notices.ts'
import type { ExplainedFinding } from './document.ts'
import type { PersonSurvey } from './survey-person.ts'

const lists: Readonly<Record<string, Readonly<Record<string, CodeEntry>>>> = {
  deferred: deferredCodes,
  blocked: blockedCodes,
  violation: violations,
  notice: noticeCodes,
  card: cardCodes,
}

function entryOf(list: string, code: string): CodeEntry {
  const known = lists[list]?.[code] ?? Object.values(lists).find((one) => one[code] !== undefined)?.[code]
  return known ?? { meaning: '', fix: '' }
}

/** The codes of one person: those of the plan first, then those of verify and the notices. */
export interface PersonFindings {
  of(key: string): ExplainedFinding[]
}

/** Everything that the rules of plan, verify and the notices find about the person. */
export function findingsAbout({ seen, context }: PersonSurvey): PersonFindings {
  const found = new Map<string, ExplainedFinding[]>()
  const add = (key: string, one: ExplainedFinding): void => {
    const all = found.get(key) ?? []
    // A rule of verify often repeats what stops the plan.
    if (!all.some(({ code }) => code === one.code)) found.set(key, [...all, one])
  }
  for (const one of seen.classified) for (const finding of ofPlan(one)) add(one.key, finding)
  for (const { address, code, message, fix } of leftOutBlocked(context.catalog))
    if (address.startsWith('subscriber.'))
      add(address.slice('subscriber.'.length), { code, list: 'blocked', ...entryOf('blocked', code), message, fix })
  for (const { code, subscriber, detail, fix } of check(context, seen))
    add(subscriber, { code, list: 'violation', ...entryOf('violation', code), message: detail, fix })
  for (const { code, subscriber, message, fix, at } of noticesOf(context.catalog, seen))
    add(subscriber, {
      code,
      list: 'notice',
      ...entryOf('notice', code),
      message: at === null ? message : `${message} (${at})`,
      fix,
    })
  return { of: (key) => found.get(key) ?? [] }
}

function ofPlan(one: Classification): ExplainedFinding[] {
  const drift = one.drift.map(({ code, message }) => {
    const { meaning, fix } = entryOf('violation', code)
    return { code, list: 'drift', meaning, message, fix }
  })
  if (one.outcome === 'deferred') {
    const { meaning, fix } = deferredCodes[one.code]
    const until = formatInstant(one.until)
    return [{ code: one.code, list: 'deferred', meaning, message: one.message, fix, until }, ...drift]
  }
  if (one.outcome !== 'blocked') return drift
  const reasons = one.reasons.map(({ code, message, fix }) => {
    return { code, list: 'blocked', meaning: blockedCodes[code].meaning, message, fix }
  })
  return [...reasons, ...drift]
}

export function cardFinding({ code, message }: CardFinding): ExplainedFinding {
  return { code, list: 'card', ...cardCodes[code], message }
}

/** What happens next, in the order in which it happens. */
export function nextOf(one: Classification, stage: string): string[] {
  switch (one.outcome) {
    case 'move':
    case 'settle':
    case 'revert': {
      const { length } = one.plan.steps
      return [
        `The next \`crossbill apply\` ${verbs[one.outcome]} with ${length} requests (\`crossbill plan --target ${subscriberAddress(one.key)}\` shows them).`,
      ]
    }
    case 'deferred':
      return [`Nothing is to be done. A plan made after ${formatInstant(one.until)} decides again.`]
    case 'blocked':
      return [`Nothing happens until a person acts: ${one.reasons[0].fix}`]
    case 'excluded':
      return [`Nothing: the entry leaves the subscriber where they are, with this reason: ${one.reason}`]
    case 'ending':
      return [`The subscription ends on ${formatInstant(one.at)} without another renewal. It is not moved.`]
    case 'ended':
      return ['Nothing: neither account bills the subscriber any more.']
    case 'unchanged':
      return [unchanged(one.standing, stage)]
  }
}

const verbs = {
  move: 'moves the subscriber to the target',
  settle: 'cancels the old subscription for good',
  revert: 'moves the subscriber back to the old account',
} as const

function unchanged(standing: Classification['standing'], stage: string): string {
  if (standing === 'source')
    return 'Nothing: the YAML leaves the subscriber in the old account. To move them, write `stage: target` and run `crossbill plan`.'
  if (standing === 'target' && stage === 'target')
    return 'The target bills, and the move can be undone (`stage: source`). After the first paid renewal, `stage: settled` ends the old subscription.'
  return 'Nothing: everything is as the YAML wants it.'
}
