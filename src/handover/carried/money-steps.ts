import { addAll } from '../../core/lists.ts'
import { successorInPath } from '../placeholders.ts'
import type Stripe from 'stripe'
import { address } from '../../core/address.ts'
import { itemNote, noteText } from '../live-values.ts'
import type { SubscriberKey } from '../../core/address.ts'
import { type JsonObject, objectIn } from '../../core/json.ts'
import type { Candidate } from '../candidate.ts'
import type { BlockedCode } from '../codes.ts'
import { invoiceStepsOf, type Journey } from './invoices.ts'
import { namedBy } from '../../live/left-money.ts'
import { markCarried } from '../../live/marks.ts'
import {
  moneyNote,
  noteKey,
  noteTextKey,
  readMoneyNote,
  withoutNote,
  type ItemPiece,
  type NotedPiece,
  type Piece,
} from '../../live/money-note.ts'
import { blocked } from '../reasons.ts'
import { refTo, type Found } from '../references.ts'
import type { Goal, HandoverPlan, PlannedStep, Reason } from '../types.ts'

/**
 * Inserts the steps before the last one, which switches the hold or releases the old subscription
 * and removes the note.
 */
export function planWithMoney<G extends Goal | 'undo'>(
  plan: HandoverPlan<G>,
  { steps, after }: MoneyPart,
): HandoverPlan<G> {
  return {
    ...plan,
    steps: [...plan.steps.slice(0, -1), ...steps, ...plan.steps.slice(-1).map((last) => removing(last, keysOf(steps)))],
    expect: {
      ...plan.expect,
      money: steps.map(({ id }) => id),
      money_after: after,
    },
  }
}

function keysOf(steps: readonly PlannedStep[]): readonly string[] {
  return steps.filter(({ id }) => id === noteStep).flatMap(({ params }) => Object.keys(metadataOf(params)))
}

function removing(step: PlannedStep, keys: readonly string[]): PlannedStep {
  return { ...step, params: { ...step.params, metadata: { ...metadataOf(step.params), ...withoutNote(keys) } } }
}

function metadataOf({ metadata }: JsonObject): JsonObject {
  return objectIn(metadata)
}

/**
 * The recovery of a hand-over whose note shows that its customer's money was moving: the same
 * requests, from the note. Undefined if they cannot be built, or if the other side does not wait
 * for the money.
 */
export function withNotedMoney<G extends Goal | 'undo'>(
  candidate: Candidate,
  recovery: HandoverPlan<G>,
): HandoverPlan<G> | undefined {
  const note = readMoneyNote(candidate.old.raw)
  if (note === null) return recovery
  const goal = note.to === 'source' ? 'revert' : 'move'
  const steps = note.to === null || recovery.goal !== goal ? undefined : notedSteps(candidate, note.to, note.pieces)
  if (steps?.ok !== true) return undefined
  return {
    ...recovery,
    steps: [
      ...recovery.steps.slice(0, -1),
      ...steps.value,
      ...recovery.steps.slice(-1).map((last) => removing(last, note.keys)),
    ],
    expect: { ...recovery.expect, money: steps.value.map(({ id }) => id) },
  }
}

function notedSteps(
  candidate: Candidate,
  to: 'target' | 'source',
  pieces: readonly NotedPiece[],
): Found<readonly PlannedStep[]> {
  const way = to === 'target' ? wayOut(candidate) : wayBack(candidate)
  const from = to === 'target' ? candidate.source : candidate.around.target
  const invoices = pieces.flatMap(({ piece }) => (piece.kind === 'invoice' ? [from.noted?.get(piece.id)] : []))
  const known = invoices.filter((invoice) => invoice !== undefined)
  if (way === undefined || known.length < invoices.length)
    return { ok: false, reason: blocked('unfinished', 'what its note of carried money names cannot be read') }
  return stepsOf(pieces, known, way)
}

/** The steps of a plan that carry money, or why there are none. */
export type Part = { readonly steps: readonly PlannedStep[] } | { readonly reason: Reason<BlockedCode> }

interface Money {
  readonly balance: number
  readonly items: readonly Stripe.InvoiceItem[]
  readonly invoices: readonly Stripe.Invoice[]
  readonly way: Way
}

/** The steps of these pieces, after the step that notes them. */
export function noted(
  { old, desired }: Candidate,
  to: 'target' | 'source',
  { balance, items, invoices, way }: Money,
): Part {
  const isBound = (item: Stripe.InvoiceItem): boolean =>
    to === 'target' ? isOf(item, old.id) : Boolean(item.parent?.subscription_details)
  const pieces: readonly Piece[] = [
    ...(balance === 0 ? [] : [{ kind: 'balance' as const, amount: balance, currency: old.currency }]),
    ...items.map((item) => itemPiece(item, isBound(item))),
    ...invoices.map(({ id }) => ({ kind: 'invoice' as const, id: id ?? '' })),
  ]
  if (pieces.length === 0) return { steps: [] }
  const places = pieces.map((piece, at) => ({ at, piece }))
  const steps = stepsOf(places, invoices, way)
  if (!steps.ok) return { reason: steps.reason }
  const texts = new Map(items.map((item) => [item.id, item.description]))
  const metadata = {
    ...moneyNote(to, pieces),
    ...Object.fromEntries(
      places.flatMap(({ at, piece }) =>
        piece.kind === 'item' && (texts.get(piece.id) ?? '') !== ''
          ? [[noteTextKey(at), itemNote(way.from.account, piece.id)]]
          : [],
      ),
    ),
  }
  const others = Object.keys(old.raw.metadata).filter((key) => !key.startsWith('crossbill_')).length
  if (others + marksAtMost + Object.keys(metadata).length > keysAtMost)
    return { reason: blocked('metadata_full', `${others} keys leave no room to note what is carried along`) }
  const note: PlannedStep = {
    id: noteStep,
    account: desired.source,
    method: 'POST',
    path: `/v1/subscriptions/${old.id}`,
    params: { metadata },
  }
  return { steps: [note, ...steps.value] }
}

/** Notes the pieces before the first of them leaves its account. */
export const noteStep = 'money-note'

/**
 * The note without what is no longer there to be carried: an item that was billed or deleted, an
 * invoice that was paid or voided since the plan. From the note on, a piece that is missing was
 * taken out by this hand-over.
 */
export function noteOf(
  step: PlannedStep,
  { gone, balance }: { readonly gone: ReadonlySet<string>; readonly balance: number | undefined },
): PlannedStep {
  const note = readMoneyNote({ metadata: textsOf(metadataOf(step.params)) })
  const isGone = (piece: Piece): boolean => (piece.kind === 'balance' ? balance === 0 : gone.has(piece.id))
  const left = (note?.pieces ?? []).filter(({ piece }) => isGone(piece))
  const keys = new Set(left.flatMap(({ at }) => [noteKey(at), noteTextKey(at)]))
  const metadata = Object.fromEntries(Object.entries(metadataOf(step.params)).filter(([key]) => !keys.has(key)))
  for (const { at, piece } of note?.pieces ?? [])
    if (piece.kind === 'balance' && note?.to && balance !== undefined && balance !== 0)
      Object.assign(metadata, { [noteKey(at)]: moneyNote(note.to, [{ ...piece, amount: balance }])[noteKey(0)] })
  return { ...step, params: { ...step.params, metadata } }
}

/** What the note of a plan names, with the account that it is to leave. */
export function notedIn(step: PlannedStep): {
  readonly to: 'target' | 'source' | null
  readonly pieces: readonly Piece[]
} {
  const note = readMoneyNote({ metadata: textsOf(metadataOf(step.params)) })
  return { to: note?.to ?? null, pieces: (note?.pieces ?? []).map(({ piece }) => piece) }
}

function textsOf(metadata: JsonObject): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(metadata).flatMap(([key, value]) => (typeof value === 'string' ? [[key, value]] : [])),
  )
}

/** https://docs.stripe.com/api/metadata */
const keysAtMost = 50
/** The hold, its number, and what is due after it. */
const marksAtMost = 3

/** How money goes from one account to the other. */
interface Way extends Journey {
  readonly from: Side
  readonly to: Side
  /** The subscription in the receiving account to which bound items go. */
  readonly subscription: string
}

export function wayOut({
  old,
  desired,
  customerOld,
  customerNew,
  copyMap,
  entered,
  around,
}: Candidate): Way | undefined {
  if (customerOld === undefined || customerNew === undefined) return undefined
  const rates = around.index.mappings(desired.source).tax_rates
  return {
    from: { account: desired.source, customer: customerOld.id },
    to: { account: 'target', customer: customerNew.id },
    subscription: successorInPath,
    mark: desired.key,
    payment:
      entered?.id ?? (old.payment?.level === 'subscription' ? copyMap.payments.get(old.payment.id)?.id : undefined),
    rate: (id) => {
      const key = rates[id]
      return key !== undefined && around.index.resources.has(address('tax_rate', key))
        ? refTo('tax_rate', key)
        : undefined
    },
  }
}

/** What each tax rate of the target is called in the old account. */
export function ratesBack({ desired, around }: Candidate): ReadonlyMap<string, string> {
  const keys = new Map(Object.entries(around.index.mappings(desired.source).tax_rates).map(([id, key]) => [key, id]))
  return new Map(
    [...around.targetTaxRates].flatMap(([id, key]) => {
      const old = keys.get(key)
      return old === undefined ? [] : [[id, old] as const]
    }),
  )
}

export function wayBack(candidate: Candidate): Way | undefined {
  const { old, desired, customerOld, customerNew } = candidate
  if (customerOld === undefined || customerNew === undefined) return undefined
  const rates = ratesBack(candidate)
  return {
    from: { account: 'target', customer: customerNew.id },
    to: { account: desired.source, customer: customerOld.id },
    subscription: old.id,
    mark: desired.key,
    payment: old.payment?.level === 'subscription' ? old.payment.id : undefined,
    rate: (id) => rates.get(id),
  }
}

/** Takes each piece out of one account and puts it into the other, in the order of the note. */
function stepsOf(
  pieces: readonly NotedPiece[],
  invoices: readonly Stripe.Invoice[],
  way: Way,
): Found<readonly PlannedStep[]> {
  const steps: PlannedStep[] = []
  const counts = { balance: 0, item: 0, invoice: 0 }
  for (const { at, piece } of pieces) {
    const i = counts[piece.kind]++
    if (piece.kind === 'balance') addAll(steps, balanceSteps(way, piece))
    if (piece.kind === 'item') {
      const lost = piece.rates.find((id) => way.rate(id) === undefined)
      if (lost !== undefined)
        return {
          ok: false,
          reason: blocked('tax_rate_unmapped', `tax rate ${lost} of item ${piece.id} has no counterpart`),
        }
      addAll(steps, itemSteps(i, piece, { way, at }))
    }
    const invoice = piece.kind === 'invoice' ? invoices.find(({ id }) => id === piece.id) : undefined
    if (invoice !== undefined) {
      const found = invoiceStepsOf(invoice, `money-invoice-${i}`, way)
      if (!found.ok) return found
      addAll(steps, found.value)
    }
  }
  return { ok: true, value: steps }
}

interface Side {
  readonly account: string
  readonly customer: string
}

/** https://docs.stripe.com/billing/customer/balance: a credit is negative. */
function balanceSteps(
  { from, to, mark }: Way,
  { amount, currency }: { amount: number; currency: string },
): PlannedStep[] {
  const step = (id: string, side: Side, change: number): PlannedStep => ({
    id,
    account: side.account,
    method: 'POST',
    path: `/v1/customers/${side.customer}/balance_transactions`,
    params: { amount: change, currency, metadata: { [markCarried]: mark } },
  })
  return [step(balanceOut, from, -amount), step(balanceIn, to, amount)]
}

/** Takes the customer's balance out of its account. */
export const balanceOut = 'money-balance-out'
const balanceIn = 'money-balance-in'

/** The step with the amount that the live note names: it was read after the plan. */
export function withNotedBalance(
  step: PlannedStep,
  subscription: Pick<Stripe.Subscription, 'metadata'> | undefined,
): PlannedStep {
  if (step.id !== balanceOut && step.id !== balanceIn) return step
  const note = subscription?.metadata === undefined ? null : readMoneyNote(subscription)
  const piece = note?.pieces.map((one) => one.piece).find(({ kind }) => kind === 'balance')
  if (piece?.kind !== 'balance') return step
  const amount = step.id === balanceOut ? -piece.amount : piece.amount
  return { ...step, params: { ...step.params, amount } }
}

/**
 * Whether this step takes a pending item out of its account; the next step puts it into the other.
 */
export function isItemTakenOut(step: string): boolean {
  return /^money-item-\d+-out$/.test(step)
}

function itemSteps(i: number, piece: ItemPiece, { way, at }: { way: Way; at: number }): PlannedStep[] {
  const { from, to } = way
  return [
    {
      id: `money-item-${i}-out`,
      account: from.account,
      method: 'DELETE',
      path: `/v1/invoiceitems/${piece.id}`,
      params: {},
    },
    {
      id: `money-item-${i}-in`,
      account: to.account,
      method: 'POST',
      path: '/v1/invoiceitems',
      params: itemParams(piece, way, at),
    },
  ]
}

function itemPiece(item: Stripe.InvoiceItem, bound: boolean): ItemPiece {
  const { id, amount, currency, period, discountable } = item
  const rates = (item.tax_rates ?? []).map((rate) => rate.id)
  return { kind: 'item', id, amount, currency, period, discountable, bound, rates }
}

function itemParams(piece: ItemPiece, { to, mark, subscription, rate }: Way, at: number): JsonObject {
  const rates = piece.rates.map(rate).filter((one) => one !== undefined)
  return {
    customer: to.customer,
    amount: piece.amount,
    currency: piece.currency,
    discountable: piece.discountable,
    period: { start: piece.period.start, end: piece.period.end },
    description: noteText(noteTextKey(at)),
    ...(rates.length === 0 ? {} : { tax_rates: rates }),
    // Items can be identical in all other fields: after a crash, each is found by its own mark.
    metadata: { [markCarried]: `${mark} ${piece.id}` },
    ...(piece.bound ? { subscription } : {}),
  }
}

export function isOf(item: Stripe.InvoiceItem, subscription: string): boolean {
  return namedBy(item) === subscription
}

/** The customer's money that this plan moves, and the subscribers that must have moved first. */
export interface MoneyPart {
  readonly steps: readonly PlannedStep[]
  readonly after: readonly SubscriberKey[]
}
