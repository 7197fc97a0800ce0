import type { SubscriberKey } from '../../core/address.ts'
import { candidateOf, mismatchOf, surroundingsOf, type Candidate } from '../../handover/candidate.ts'
import { blockedCodes } from '../../handover/codes.ts'
import { cardCodes, type CardCode } from '../../handover/card-codes.ts'
import { readCardLink, type CardLink } from '../../live/entered-card.ts'
import { isAlive } from '../../live/subscription.ts'
import type { Survey } from '../plan/survey.ts'
import type { CardsCheck } from '../verify/cards.ts'
import type { CardOwner } from './context.ts'

/** Codes of a plan that a card entered by its member solves. */
const solvedByCard = [
  'payment_method_unmapped',
  'payment_method_not_copyable',
  'payment_default_differs',
  'setup_failed',
] as const satisfies readonly (keyof typeof blockedCodes)[]

/** The codes by which members are asked. */
export const cardReasons: readonly CardReason[] = [...solvedByCard, ...(Object.keys(cardCodes) as CardCode[])].filter(
  (code, index, all) => all.indexOf(code) === index,
)

export type CardReason = CardCode | (typeof solvedByCard)[number]

/** A subscriber whose member can be asked for a card. */
export interface Askable {
  readonly owner: CardOwner
  /** What the plan and `cards check` say about the payment method; empty when nothing. */
  readonly codes: readonly CardReason[]
  readonly link: CardLink | undefined
  /** The customer's address in the target, for the mail alone; never printed or stored. */
  readonly email: string | null
}

/** A subscriber who cannot be asked, and why. */
export interface Unaskable {
  readonly subscriber: string
  /** As of an askable member. */
  readonly codes: readonly CardReason[]
  readonly code: 'customer_not_copied' | 'copy_mismatch' | 'ended' | 'sent_invoices'
  readonly message: string
}

/** Every declared subscriber: whether their member can be asked for a card, or why not. */
export function askable(
  { input, classified }: Pick<Survey, 'input' | 'classified'>,
  { findings }: CardsCheck,
): { readonly askable: readonly Askable[]; readonly refused: readonly Unaskable[] } {
  const around = surroundingsOf(input)
  const codes = new Map<string, Set<CardReason>>()
  const note = (subscriber: string, code: CardReason): void => {
    codes.set(subscriber, (codes.get(subscriber) ?? new Set()).add(code))
  }
  for (const { subscriber, code } of findings) note(subscriber, code)
  for (const one of classified)
    if (one.outcome === 'blocked') for (const { code } of one.reasons) if (isSolved(code)) note(one.key, code)
  const found: Askable[] = []
  const refused: Unaskable[] = []
  for (const desired of input.catalog.subscribers) {
    const candidate = desired.excluded === undefined ? candidateOf(desired, around) : undefined
    if (candidate === undefined || candidate.movedBy !== undefined) continue
    const about = { subscriber: desired.key, candidate, codes: [...(codes.get(desired.key) ?? [])] }
    const problem = refusalOf(candidate, desired.key)
    if (problem !== undefined) refused.push({ ...problem, codes: about.codes })
    else found.push(asked(about))
  }
  return { askable: found, refused }
}

function isSolved(code: string): code is (typeof solvedByCard)[number] {
  return (solvedByCard as readonly string[]).includes(code)
}

function asked({
  subscriber,
  candidate: { customerNewId, around },
  codes,
}: {
  readonly subscriber: SubscriberKey
  readonly candidate: Candidate
  readonly codes: readonly CardReason[]
}): Askable {
  const customer = around.target.customers.get(customerNewId)
  return {
    owner: { subscriber, customer: customerNewId },
    codes,
    link: readCardLink(customer?.metadata, subscriber),
    email: customer?.email ?? null,
  }
}

/** The card of one member must never be saved on the customer of another. */
function refusalOf(candidate: Candidate, subscriber: string): Omit<Unaskable, 'codes'> | undefined {
  const { old, successor, customerNewId, around } = candidate
  const billed = successor !== undefined && isAlive(successor) ? successor : old.raw
  if (!isAlive(billed)) return { subscriber, code: 'ended', message: `${billed.id} has ended` }
  if (billed.collection_method !== 'charge_automatically')
    return { subscriber, code: 'sent_invoices', message: `the invoices of ${billed.id} are sent and paid by hand` }
  if (!around.target.customers.has(customerNewId))
    return { subscriber, code: 'customer_not_copied', message: `the target has no customer ${customerNewId}` }
  const mismatch = mismatchOf(candidate)
  return mismatch === undefined ? undefined : { subscriber, code: 'copy_mismatch', message: mismatch }
}
