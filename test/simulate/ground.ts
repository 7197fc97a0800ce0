import type { ApplyResult } from '../../src/engine/apply/apply.ts'
import type { Context } from '../../src/engine/context.ts'
import type { WorldCharge } from '../../src/engine/rehearse/compare-charges.ts'
import { parseInstant } from '../../src/core/instant.ts'
import { isJsonObject } from '../../src/core/json.ts'
import { markCarried, markFrom, markHold, settledComment, undoneComment } from '../../src/live/marks.ts'
import { siteOf } from '../../src/sandbox/kajabi/module.ts'
import type { Sandbox } from '../../src/sandbox/sandbox.ts'
import { invoices, subscriptions, type SubscriptionRow } from '../../src/sandbox/stripe/billing/rows.ts'
import { chargesOf } from '../../src/sandbox/stripe/charges.ts'
import { customers } from '../../src/sandbox/stripe/customer-row.ts'
import { paymentMethods } from '../../src/sandbox/stripe/payment-method-row.ts'
import { offerOf } from './people.ts'
import type { Member, BothWorlds } from './world.ts'

// The facts of the two worlds at any instant, read from their own rows without code of the product.

const liveStatuses = new Set(['active', 'trialing', 'past_due', 'unpaid'])

export const isLive = ({ status }: SubscriptionRow): boolean => liveStatuses.has(status)
export const collects = (row: SubscriptionRow): boolean => isLive(row) && row.pause_collection === null

export function rowsOf({ world }: Sandbox, account: string): readonly SubscriptionRow[] {
  return [...(world.accounts.get(account)?.table(subscriptions).all() ?? [])]
}

function rowOf({ world }: Sandbox, account: string, id: string): SubscriptionRow | undefined {
  return world.accounts.get(account)?.table(subscriptions).get(id)
}

/** One subscriber in both worlds. */
export interface Sides {
  readonly old: SubscriptionRow | undefined
  readonly controlRun: SubscriptionRow | undefined
  /** Every subscription of the target with the subscriber's mark, newest first. */
  readonly successors: readonly SubscriptionRow[]
  readonly live: readonly SubscriptionRow[]
  /** Ended, but not by a revert or an undo. */
  readonly ended: readonly SubscriptionRow[]
  readonly held: boolean
}

export function sidesOf({ moved, controlRun }: BothWorlds, { account, old: id, key }: Member): Sides {
  const old = rowOf(moved, account, id)
  const successors = rowsOf(moved, 'target')
    .filter(({ metadata }) => metadata[markFrom] === key)
    .toSorted((a, b) => b.created - a.created)
  return {
    old,
    controlRun: rowOf(controlRun, account, id),
    successors,
    live: successors.filter(isLive),
    ended: successors.filter((row) => !isLive(row) && !isUndone(row)),
    held: old !== undefined && isLive(old) && old.metadata[markHold] !== undefined,
  }
}

const isUndone = (row: SubscriptionRow): boolean => row.cancellation_details.comment?.startsWith(undoneComment) === true
export const isSettled = (row: SubscriptionRow): boolean =>
  row.cancellation_details.comment?.startsWith(settledComment) === true
export const isLapsed = (row: SubscriptionRow): boolean => row.cancellation_details.reason === 'payment_failed'

/** The subscriptions that would charge the member at the next renewal. */
export function payersOf({ old, live, successors }: Sides): readonly string[] {
  const here = old !== undefined && collects(old) ? [old.id] : []
  return [...here, ...live.filter(collects).map(({ id }) => `${id} of ${successors.length} in the target`)]
}

/**
 * Whether a subscription of the member continues in the migrating world. A held one whose successor
 * has ended waits to be settled and bills nothing.
 */
export const goesOn = ({ old, live, held, ended }: Sides): boolean =>
  live.length > 0 || (old !== undefined && isLive(old) && !(held && ended.length > 0))

/** Whether a payment method of its customer would be charged. */
export function canPay({ moved }: BothWorlds, account: string, row: SubscriptionRow): boolean {
  const tables = moved.world.account(account)
  const owner = tables.table(customers).get(row.customer)
  const method =
    row.default_payment_method ??
    row.default_source ??
    owner?.invoice_settings.default_payment_method ??
    owner?.default_source ??
    null
  return method !== null && tables.table(paymentMethods).get(method)?.customer === row.customer
}

/** The pause that the old account had itself, as stored in the mark of the hold. */
export function pauseBefore({ old }: Sides): string | null {
  const mark: unknown = JSON.parse(old?.metadata[markHold] ?? '{}')
  const before = isJsonObject(mark) ? mark['before'] : null
  const behavior = isJsonObject(before) ? before['behavior'] : null
  return typeof behavior === 'string' ? behavior : null
}

export function emailOf({ moved, emails }: BothWorlds, { account, customer }: Member): string {
  const now = moved.world.accounts.get(account)?.table(customers).get(customer)?.email ?? null
  // A deleted customer has no address any more; Kajabi still knows it.
  if (now !== null) emails.set(`${account} ${customer}`, now)
  return emails.get(`${account} ${customer}`) ?? ''
}

/** Offers, by key, that a person holds in Kajabi. */
export function heldOffers({ moved, service }: BothWorlds, email: string): readonly string[] {
  const site = siteOf(moved.world)
  const contact = site.contactOf(email)
  if (contact === undefined) return []
  const held = new Set(site.grantsOf(contact.id).map(({ offer }) => offer))
  return Object.entries(service.access.offers).flatMap(([key, { kajabi }]) => (held.has(kajabi) ? [key] : []))
}

/** The offer that the member's subscription gives. */
export const offerOfMember = ({ price }: Member): 'membership' | 'course' => offerOf(price)

export interface Bills {
  readonly expected: readonly WorldCharge[]
  readonly actual: readonly WorldCharge[]
}

/** Charges since the migration began, each with its subscriber. */
export function billsOf({ moved, controlRun, began, members }: BothWorlds): Bills {
  const names = new Map(members.map(({ old, key }) => [old, key]))
  const successors = new Map(names)
  for (const { id, metadata } of rowsOf(moved, 'target')) successors.set(id, metadata[markFrom] ?? `foreign ${id}`)
  const since = (world: Sandbox, known: ReadonlyMap<string, string>): readonly WorldCharge[] =>
    chargesOf(world.world).flatMap(({ status, subscription, invoice, account, at, amount, currency }) => {
      const when = parseInstant(at)
      if (status !== 'succeeded' || when === undefined || when <= began || amount === 0) return []
      const subscriber = known.get(subscription ?? '') ?? carriedFor(world, account, invoice) ?? `unknown ${invoice}`
      return subscriber.startsWith('foreign') ? [] : [{ subscriber, account, at: when, amount, currency }]
    })
  return { expected: since(controlRun, names), actual: since(moved, successors) }
}

/** A separate invoice for a period that a revert left uncharged; its mark names the subscriber. */
function carriedFor({ world }: Sandbox, account: string, invoice: string | null): string | undefined {
  const row = world.accounts
    .get(account)
    ?.table(invoices)
    .get(invoice ?? '')
  return row?.metadata[markCarried]?.split(' ')[0]
}

/** An invoice that the old account is still collecting. */
export function isCollectedInSource({ moved }: BothWorlds, { account, old }: Member): boolean {
  const all = moved.world.accounts.get(account)?.table(invoices).all() ?? []
  return [...all].some(
    (row) =>
      row.subscription === old &&
      row.status === 'open' &&
      row.auto_advance &&
      row.collection_method === 'charge_automatically',
  )
}

/**
 * Invoices that an account continues to collect, each as `account id`: another attempt will follow.
 */
export function collectedNow({ moved }: BothWorlds): readonly string[] {
  return [...moved.world.accounts].flatMap(([account, tables]) =>
    [...tables.table(invoices).all()].flatMap((row) =>
      row.status === 'open' && row.auto_advance && row.next_payment_attempt !== null ? [`${account} ${row.id}`] : [],
    ),
  )
}

/** Whether the invoice is open, its subscription is live, and the account no longer collects it. */
export function isStranded({ moved }: BothWorlds, collected: string): boolean {
  const [account = '', id = ''] = collected.split(' ')
  const row = moved.world.accounts.get(account)?.table(invoices).get(id)
  if (row?.status !== 'open' || row.auto_advance) return false
  const of = row.subscription === null ? undefined : rowOf(moved, account, row.subscription)
  return of !== undefined && isLive(of)
}

/** Whether the member pays or is being asked to pay. */
export function isClaim(worlds: BothWorlds, member: Member): boolean {
  const { old, live, ended } = sidesOf(worlds, member)
  const [paying] = live.length > 0 ? live : ended.length > 0 ? ended : old === undefined ? [] : [old]
  return paying !== undefined && ['active', 'trialing', 'past_due'].includes(paying.status)
}

/**
 * Where Stripe does not say that an answer is a stored one, a run that knows no answer to the first
 * request waits under its key. A later run with the same store takes a new key, when nothing can be
 * committed any more.
 */
export async function waitsForStoredAnswer(
  { moved }: BothWorlds,
  { store, run }: Pick<Context, 'store' | 'run'>,
  { changes }: Pick<ApplyResult, 'changes'>,
): Promise<boolean> {
  const failed = changes.filter(({ outcome, code = '' }) => outcome === 'failed' && code.startsWith('http_5'))
  if (failed.length === 0 || moved.world.unsure.replays_say_so) return false
  const entries = await Promise.all(failed.map(({ address }) => store.journal({ address })))
  // A run that was cut off or killed in the request left its entry without an answer.
  return entries.flat().every((entry) => entry.run === run || (entry.failure?.['status'] ?? 0) === 0)
}
