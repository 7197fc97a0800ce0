import type { Failure, Outcome } from '../../core/outcome.ts'
import { subscriberAddress } from '../../core/address.ts'
import { digest } from '../../core/canonical.ts'
import { isJsonObject, type JsonObject, objectIn, textIn } from '../../core/json.ts'
import { invoiceTakenOut } from '../../handover/carried/invoices.ts'
import { balanceOut, isItemTakenOut, notedIn, noteOf, noteStep } from '../../handover/carried/money-steps.ts'
import type { LiveValues } from '../../handover/live-values.ts'
import type { PlannedStep, Reason } from '../../handover/types.ts'
import { markReverting, markVoiding, oldIdOf } from '../../live/marks.ts'
import { isNoted, readMoneyNote, type NotedPiece } from '../../live/money-note.ts'
import { readHolds } from '../../live/source.ts'
import type { HandoverEvent } from '../../handover/event-types.ts'
import { accountNamed, type Context } from '../context.ts'
import type { JournalEntry, StripeAccount } from '../ports.ts'
import { perform, read } from '../send/perform.ts'
import type { alreadyDone } from './already-done.ts'
import type { Job } from './job.ts'

type Sent = Extract<HandoverEvent, { type: 'sent' }>

/** Stands for a note that need not be written. */
export const nothingLeft: PlannedStep = { id: 'nothing-left', account: '', method: 'POST', path: '', params: {} }

/**
 * The note of carried money, without the pieces that others have billed, paid or removed since the
 * plan. Undefined when this cannot be read; `nothingLeft` when no piece is left, or when another
 * run has written the note: this run then finishes from that note.
 */
export async function noteToWrite(
  context: Context,
  job: Job,
  {
    planned: step,
    live,
    invoice,
  }: { readonly planned: PlannedStep; readonly live: LiveValues; readonly invoice: string | null },
): Promise<PlannedStep | undefined> {
  const { handover } = job
  const isThere = readMoneyNote(live.subscription) !== null
  if (isThere && !(await triesSince(context, job, live)).some((one) => one.step === noteStep)) return nothingLeft
  const { to, pieces } = notedIn(step)
  const account = accountNamed(context, to === 'source' ? 'target' : handover.expect.source)
  const gone = new Set<string>()
  let balance: number | undefined
  for (const piece of pieces) {
    if (piece.kind === 'balance') {
      if (to !== 'source' || invoice === null) continue
      const after = await balanceAfter(context, job, invoice)
      if (after === 'unread') return undefined
      balance = after
      continue
    }
    const list = piece.kind === 'item' ? 'invoiceitems' : 'invoices'
    const found = await read(context, account, `/v1/${list}/${piece.id}`)
    if (isUnread(found)) return undefined
    const isOwed =
      found.ok && (piece.kind === 'item' ? (found.value['invoice'] ?? null) === null : found.value['status'] === 'open')
    if (!isOwed) gone.add(piece.id)
  }
  const rest = noteOf(step, { gone, balance })
  return notedIn(rest).pieces.length === 0 ? nothingLeft : rest
}

/**
 * The balance after a revert's own finalization paid an invoice from it: the plan could foresee it
 * only if the invoice was a draft then, and Stripe adds what is too small to be charged. Undefined
 * when others changed the balance since.
 */
async function balanceAfter(context: Context, { handover }: Job, id: string): Promise<number | 'unread' | undefined> {
  const { target } = context.accounts
  const { customer_new: customer, key } = handover.expect
  const [invoice, owner] = await Promise.all([
    read(context, target, `/v1/invoices/${id}`),
    read(context, target, `/v1/customers/${customer}`),
  ])
  if (isUnread(invoice) || isUnread(owner)) return 'unread'
  if (!invoice.ok || !owner.ok) return undefined
  const { status, metadata, ending_balance: after } = invoice.value
  const isOurs = oldIdOf(textIn(objectIn(metadata)[markReverting])) === oldIdOf(key)
  const { balance } = owner.value
  return isOurs && status === 'paid' && typeof balance === 'number' && balance === after ? balance : undefined
}

/**
 * The customer's balance is read right before it is taken out. If others have changed it since the
 * plan, it stays where it is, and `verify` names what is left of it: to carry the planned amount
 * would pay it out twice. Undefined when it is as planned.
 */
export async function balanceChanged(
  context: Context,
  account: StripeAccount,
  { step, find }: { readonly step: PlannedStep; readonly find: ReturnType<typeof alreadyDone> },
): Promise<Sent | undefined> {
  const customer = await read(context, account, step.path.replace(/\/balance_transactions$/, ''))
  if (!customer.ok) return { type: 'sent', result: 'unknown', id: null, reason: unread }
  if (customer.value['balance'] === -Number(step.params['amount'])) return undefined
  const found = await find?.()
  if (found?.ok === false) return { type: 'sent', result: 'unknown', id: null, reason: unread }
  if (found?.value !== undefined) return { type: 'sent', result: 'done', id: null, reason: null }
  context.progress.note(`the balance of ${subjectOf(step.path)} changed since the plan was made: it stays where it is`)
  return { type: 'sent', result: 'done', id: null, reason: null, moot: 1 }
}

/**
 * For a request that takes a piece out which the live note does not name, since it was billed, paid
 * or removed before the note: how many requests of the list are no longer needed. Undefined for
 * every other request.
 */
export function notNoted(job: Job, { id, path }: PlannedStep, { subscription }: LiveValues): number | undefined {
  if (id === balanceOut) return readMoneyNote(subscription)?.pieces.some(isBalance) === true ? undefined : 1
  if (!isItemTakenOut(id) && invoiceTakenOut(id) === undefined) return undefined
  return isNoted(readMoneyNote(subscription), subjectOf(path)) ? undefined : restOf(job, id)
}

function isBalance({ piece }: NotedPiece): boolean {
  return piece.kind === 'balance'
}

/** The item or invoice of a path. */
function subjectOf(path: string): string {
  return path.split('/')[3] ?? ''
}

/** The number of requests that put into the other account what this one takes out. */
function restOf({ handover }: Job, id: string): number {
  const invoice = invoiceTakenOut(id)
  return invoice === undefined ? 1 : handover.expect.money.filter((one) => one.startsWith(invoice) && one !== id).length
}

/** What this store has tried for the subscriber since the present hold. */
async function triesSince(
  context: Context,
  { key }: Job,
  { subscription }: LiveValues,
): Promise<readonly JournalEntry[]> {
  const since = readHolds(subscription).at - clockSkew
  const tries = await context.store.journal({ address: subscriberAddress(key) })
  return tries.filter(({ startedAt }) => startedAt >= since)
}

/** The most by which the clocks of two accounts differ, in seconds. */
const clockSkew = 60

/**
 * Each piece is read right before it is taken out: since its note, a person may have decided about
 * it. Their decision stays, and nothing is carried.
 *
 * | the piece                       | then                                         |
 * |---------------------------------|----------------------------------------------|
 * | invoice open, owed as written   | marked as voided by this hand-over, and voided |
 * | invoice open, its amount reduced | stays where it is; the account collects it  |
 * | invoice paid                    | no debt is left                              |
 * | invoice written off             | the debt was forgiven                        |
 * | invoice void with our mark      | this hand-over voided it: it is carried      |
 * | invoice void without our mark   | the debt was forgiven                        |
 * | item on an invoice              | it was billed where it is                    |
 *
 * Undefined when the request is to be sent.
 */
export async function decidedByOthers(
  context: Context,
  job: Job,
  { step, account, generation }: { step: PlannedStep; account: StripeAccount; generation: number | null },
): Promise<Sent | undefined> {
  const { id, path } = step
  const isItem = isItemTakenOut(id)
  if (!isItem && invoiceTakenOut(id) === undefined) return undefined
  const piece = path.replace(/\/void$/, '')
  const found = await read(context, account, piece)
  // A deleted item leaves no trace: the answer to our own request decides.
  if (!found.ok) return isUnread(found) ? pieceUnreadable : undefined
  const stays = async (how: string): Promise<Sent> => {
    const tries = await context.store.journal({ address: subscriberAddress(job.key) })
    for (const one of tries.filter((entry) => entry.path === path && isOpenEntry(entry)))
      await context.store.journalEnd(one.id, { status: 'abandoned', at: account.now() })
    context.progress.note(`${subjectOf(path)} ${how} since the run began to carry it: it is not carried`)
    return { ...unsent, result: 'done', moot: restOf(job, id) }
  }
  if (isItem) return (found.value['invoice'] ?? null) === null ? undefined : stays('was billed')
  const { status, amount_remaining: owed, total } = found.value
  const mark = voidingMark(job, generation)
  const isMarked = isMarkedWith(found.value, mark)
  if (status === 'void') return isMarked ? undefined : stays('was voided by others')
  if (status !== 'open') return stays(status === 'paid' ? 'was paid' : 'was written off')
  if (owed !== total) return stays('was partly paid or reduced')
  if (isMarked) return undefined
  const marked = await perform(context, {
    address: subscriberAddress(job.key),
    step: `${id}-mark`,
    account,
    method: 'POST',
    path: piece,
    params: { metadata: { [markVoiding]: mark } },
    key: `crossbill-${digest([mark, piece, 'voiding'])}`,
  })
  return marked.ok ? undefined : pieceUnreadable
}

/** The number of the hold tells this hand-over from an earlier one that did not void it. */
function voidingMark({ handover }: Job, generation: number | null): string {
  return `${handover.expect.old} ${generation ?? 0}`
}

function isMarkedWith({ metadata }: JsonObject, mark: string): boolean {
  return isJsonObject(metadata) && metadata[markVoiding] === mark
}

function isOpenEntry({ status }: JournalEntry): boolean {
  return status === 'started' || status === 'unknown'
}

const unread: Reason = {
  code: 'source_unreachable',
  message: 'the balance of the customer could not be read',
  fix: 'Run the same command again.',
}

const pieceUnread: Reason = {
  code: 'source_unreachable',
  message: 'an item or invoice to be carried could not be read or marked',
  fix: 'Run the same command again.',
}

const unsent = { type: 'sent', id: null, reason: null } as const

/**
 * Handles a refused request about a piece that is no longer there. An invoice that was paid since
 * the note has no debt left, and a void invoice was voided by this hand-over if it has its mark. An
 * item that was billed where it is is not carried. For a pending item that is gone:
 *
 * | this store        | it was taken out by                | then                               |
 * |-------------------|------------------------------------|------------------------------------|
 * | tried it before   | this hand-over                     | put it into the other account      |
 * | did not write the note | the run that wrote it         | the same; both runs use one key    |
 * | wrote the note    | others, after the note             | the rest is not needed             |
 *
 * Returns how many requests of the list are no longer needed; undefined for every other refusal,
 * and `unread` when the piece cannot be read: what could not be read is not absent.
 */
export async function fallsAway(
  context: Context,
  job: Job,
  { step, account, failure, live, generation }: Refused,
): Promise<number | 'unread' | undefined> {
  const { id, path } = step
  if (invoiceTakenOut(id) !== undefined) {
    const invoice = await read(context, account, path.replace(/\/void$/, ''))
    if (!invoice.ok) return isUnread(invoice) ? 'unread' : undefined
    if (invoice.value['status'] === 'paid') return restOf(job, id)
    if (invoice.value['status'] !== 'void') return undefined
    if (!isMarkedWith(invoice.value, voidingMark(job, generation))) return restOf(job, id)
    // A store that marked the invoice knows every void that the hand-over sent since.
    const sent = await triesSince(context, job, live)
    const isOurs = sent.some((one) => one.path === path && one.status !== 'failed')
    return isOurs || !sent.some((one) => one.step === `${id}-mark`) ? 0 : restOf(job, id)
  }
  if (!isItemTakenOut(id)) return undefined
  if (failure.code !== 'resource_missing') {
    // Stripe refuses to delete an item of an invoice that is no longer a draft.
    const item = failure.kind === 'rejected' ? await read(context, account, path) : undefined
    if (item !== undefined && isUnread(item)) return 'unread'
    return item?.ok === true && (item.value['invoice'] ?? null) !== null ? restOf(job, id) : undefined
  }
  const tries = await triesSince(context, job, live)
  const isOwn = tries.some((one) => one.path === path && one.status !== 'failed')
  return isOwn || !tries.some((one) => one.step === noteStep) ? 0 : restOf(job, id)
}

/** Whether nobody knows what is there: only `resource_missing` says that it is gone. */
function isUnread(found: Outcome<unknown>): boolean {
  return !found.ok && found.failure.code !== 'resource_missing'
}

/** What a request waits for whose piece could not be read. */
export const pieceUnreadable: Sent = { ...unsent, result: 'unknown', reason: pieceUnread }

interface Refused {
  readonly step: PlannedStep
  readonly account: StripeAccount
  readonly failure: Failure
  readonly live: LiveValues
  readonly generation: number | null
}
