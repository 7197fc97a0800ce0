import {
  invoiceItems,
  invoices,
  subscriptions,
  type InvoiceRow,
  type ItemRow,
  type SubscriptionRow,
} from '../../src/sandbox/stripe/billing/rows.ts'
import { prices as priceTable } from '../../src/sandbox/stripe/prices.ts'
import type { Sandbox } from '../../src/sandbox/sandbox.ts'
import { discounts } from '../../src/sandbox/stripe/discounts.ts'
import { siteOf } from '../../src/sandbox/kajabi/module.ts'
import {
  canPay,
  collects,
  emailOf,
  heldOffers,
  isClaim,
  isCollectedInSource,
  isLapsed,
  isLive,
  isSettled,
  offerOfMember,
  pauseBefore,
  sidesOf,
  type Sides,
} from './ground.ts'
import { markCarried, markDue, markHold, markHolds, markMoney } from '../../src/live/marks.ts'
import { leftOf } from './left.ts'
import { changeable, type Life } from './life.ts'
import type { Member, BothWorlds } from './world.ts'

/** `code subscriber`, as `verify` must report it, and what it may report besides. */
export interface Truth {
  readonly must: ReadonlySet<string>
  readonly may: ReadonlySet<string>
}

/** What is wrong in the world now, from its rows and from what people did. */
export function violationsNow(worlds: BothWorlds, life: Life, granted: ReadonlySet<string>): Truth {
  const must = new Set<string>()
  const may = new Set<string>()
  for (const member of worlds.members) {
    for (const code of codesOf(worlds, member, life)) must.add(`${code} ${member.key}`)
    for (const code of possibleOf(worlds, member, life)) may.add(`${code} ${member.key}`)
    const left = leftOf(worlds, member)
    for (const code of left.must) must.add(`${code} ${member.key}`)
    for (const code of left.may) may.add(`${code} ${member.key}`)
  }
  for (const one of accessNow(worlds, granted)) must.add(one)
  // What another machine granted, or a store that was lost, this store need not know of.
  if (worlds.grantsElsewhere) for (const one of accessNow(worlds, undefined)) may.add(one)
  // Kajabi's lists lag behind a grant, and only the store that granted asks for the contact itself.
  for (const member of worlds.members) {
    const contact = siteOf(worlds.moved.world).contactOf(emailOf(worlds, member))?.id
    if (worlds.grantsElsewhere && !granted.has(`${contact} ${offerOfMember(member)}`))
      may.add(`access_missing ${member.key}`)
  }
  return { must, may }
}

function codesOf(worlds: BothWorlds, member: Member, life: Life): readonly string[] {
  const sides = sidesOf(worlds, member)
  const { old, live, ended, held } = sides
  const declared = worlds.isDeclared(member.key)
  const codes: string[] = []
  const say = (so: boolean, ...what: readonly string[]): void => void (so && codes.push(...what))
  say(!declared && old !== undefined && isLive(old), 'undeclared_subscription')
  say(live.length > 0 && old !== undefined && collects(old), 'double_payer', 'hold_missing')
  say(held && live.length === 0 && ended.length === 0, 'held_without_successor')
  say(held && live.length === 0 && ended.length > 0, 'ended_in_target')
  // A run stopped after the creation, or a person gave the hold of a moved member its first form.
  const keepsDrafts = held && live.length === 1 && old?.pause_collection?.behavior === 'keep_as_draft'
  const wasKept = old?.metadata[markHold]?.includes('"kept":true') === true
  say(declared && keepsDrafts, wasKept ? 'hold_missing' : 'unfinished')
  const left = old !== undefined && old.status === 'canceled' && !isSettled(old) && !isLapsed(old)
  const known = new Set(worlds.overrideOf(member.key))
  // Cancelled in the old account, while the new one continues: no change of the stage affects that.
  say(left && live.some((row) => !isEnding(row)) && !known.has('cancelled_in_source'), 'cancelled_in_source')
  say(live.length > 0 && isCollectedInSource(worlds, member), 'open_invoice_on_source')
  say(
    billedAfterwards(worlds, member).some(({ attempted, next_payment_attempt: next }) => attempted && next !== null),
    'period_unpaid',
  )
  const [successor] = live
  say(declared && billsAgain(sides) && isWithoutMethod(worlds, member.account, old), 'no_method_in_source')
  if (!held || successor === undefined || old === undefined) return codes
  say(!collects(successor) && (successor.pause_collection?.behavior ?? null) !== pauseBefore(sides), 'no_payer')
  // Terms are compared only for declared subscribers, and only after the move.
  if (!declared || old.pause_collection?.behavior !== 'void') return codes
  const pause = live.length === 1 ? (successor.pause_collection?.behavior ?? null) : null
  say(pause !== null && pause !== pauseBefore(sides), 'paused_in_target')
  const { heldAs } = life.of(member)
  const now = changeable(worlds, member, old)
  const isOther = heldAs !== undefined && heldAs !== now
  const end = endOf(old)
  const newEnd = endOf(successor)
  const asked = isOther && end !== null && (newEnd === null || newEnd > end)
  say(asked && !known.has('cancelled_in_source'), 'cancelled_in_source')
  // An end alone is a cancel, not another plan.
  const ends = [{ cancel_at: null, cancel_at_period_end: false }, successor]
  const isEndAlone =
    end !== null && ends.some((one) => heldAs === changeable(worlds, member, { ...old, ...endFields(one) }))
  // After the change was made in the target as well and declared, the two are compared again.
  const drifted = ((isOther && !isEndAlone) || life.of(member).couponRemoved) && !known.has('drift_on_held_source')
  // A changed old subscription no longer shows what the new one was created from.
  say(drifted, 'drift_on_held_source')
  say(hasPendingItem(worlds, member) && !known.has('money_on_held_source'), 'money_on_held_source')
  say(!drifted && !asked && termsDiffer(worlds, sides, successor) && !life.of(member).adopted, 'terms_differ')
  say(lostForGood(worlds, sides, successor), 'discount_lost')
  return codes
}

/** The old account bills again, after a revert. */
function billsAgain({ old, live }: Sides): boolean {
  return live.length === 0 && old !== undefined && collects(old) && old.metadata[markHolds] !== undefined
}

/** Nothing pays the next invoice, which is not free. */
function isWithoutMethod(worlds: BothWorlds, account: string, row: SubscriptionRow | undefined): boolean {
  if (row === undefined || row.collection_method !== 'charge_automatically' || endOf(row) !== null) return false
  const table = worlds.moved.world.account(account).table(priceTable)
  return !row.items.every(({ price }) => table.get(price)?.unit_amount === 0) && !canPay(worlds, account, row)
}

/** True, but this simulation cannot know it exactly. */
function possibleOf(worlds: BothWorlds, member: Member, life: Life): readonly string[] {
  const { old, live, held } = sidesOf(worlds, member)
  const moved = live.length > 0 && held
  const notes = old?.metadata ?? {}
  const doings = life.of(member)
  return [
    // A run stopped between a release and what the hold had kept back, or between out and in.
    ...(notes[markDue] === undefined ? [] : ['period_unaccounted']),
    ...(Object.keys(notes).some((name) => name.startsWith(markMoney)) ? ['money_in_flight'] : []),
    // Without a further attempt, a payment may be in progress.
    ...(billedAfterwards(worlds, member).length > 0 ? ['period_unpaid'] : []),
    // The entry is older than what the member changed since, or names a coupon whose id was reused.
    ...(live.length > 0 && (worlds.termsEdited || !doings.adopted || doings.couponEnded) ? ['entry_differs'] : []),
    // A card that an old door set is copied later; the new subscription then pays with another
    // card. What a pull adopted is known, and may be reported until then.
    ...(moved && life.of(member).adopted ? ['terms_differ'] : []),
    // A renewal voided an item: it is reported until the next renewal, and again at the settle.
    ...(moved && hadItem(worlds, member) ? ['money_on_held_source'] : []),
    // Both were set to end by two doors: the dates may differ.
    ...(moved && old !== undefined && endOf(old) !== null ? ['terms_differ'] : []),
    ...(moved && life.of(member).cards ? ['payment_method_differs', 'terms_differ'] : []),
    // The copy is the card as it was before the bank replaced it.
    ...(doings.replaced ? ['payment_method_differs', 'copy_mismatch'] : []),
    // The copy map says another method is the copy, until the next import.
    ...(moved && worlds.mixed.has(member.customer) ? ['payment_method_differs', 'copy_mismatch', 'terms_differ'] : []),
  ]
}

/** Open invoices of the old account by which a run billed what no account had charged. */
function billedAfterwards({ moved }: BothWorlds, { account, key }: Member): readonly InvoiceRow[] {
  const all = moved.world.accounts.get(account)?.table(invoices).all() ?? []
  return [...all].filter(
    ({ status, subscription, metadata }) =>
      status === 'open' && subscription === null && metadata[markCarried]?.startsWith(`${key} `) === true,
  )
}

/** The last paid instant; null without an end. */
function endOf({ cancel_at: at, cancel_at_period_end: ends, items }: SubscriptionRow): number | null {
  const period = Math.min(...items.map(({ current_period_end: until }) => until))
  return at !== null && at <= period ? at : ends ? period : at
}

function isEnding(row: SubscriptionRow): boolean {
  const end = endOf(row)
  return end !== null && end <= Math.min(...row.items.map(({ current_period_end: until }) => until))
}

type End = Pick<SubscriptionRow, 'cancel_at' | 'cancel_at_period_end'>

function endFields({ cancel_at, cancel_at_period_end }: End): End {
  return { cancel_at, cancel_at_period_end }
}

/** A pending item in the old account of a held subscription. */
function hasPendingItem({ moved }: BothWorlds, { account, old }: Member): boolean {
  const all = moved.world.accounts.get(account)?.table(invoiceItems).all() ?? []
  return [...all].some((row) => row.subscription === old && row.invoice === null && row.amount !== 0)
}

function hadItem({ moved }: BothWorlds, { account, old }: Member): boolean {
  const all = moved.world.accounts.get(account)?.table(invoiceItems).all() ?? []
  return [...all].some((row) => row.subscription === old && row.invoice !== null)
}

function termsDiffer({ moved }: BothWorlds, { old }: Sides, successor: SubscriptionRow): boolean {
  if (old === undefined) return false
  const ends = ({ cancel_at: at, cancel_at_period_end: whether }: SubscriptionRow): string => `${at} ${whether}`
  const source = [...moved.world.accounts.values()].find(({ name }) => name !== 'target' && rowIn(moved, name, old.id))
  return (
    termsOf(moved, source?.name ?? '', old.items) !== termsOf(moved, 'target', successor.items) ||
    ends(old) !== ends(successor)
  )
}

function rowIn({ world }: Sandbox, account: string, id: string): boolean {
  return world.account(account).table(subscriptions).has(id)
}

function termsOf({ world }: Sandbox, account: string, items: readonly ItemRow[]): string {
  const table = world.account(account).table(priceTable)
  return items
    .map(({ price, quantity }) => {
      const { currency, unit_amount: amount, recurring } = table.get(price) ?? {}
      return JSON.stringify([currency, amount, recurring?.interval, recurring?.interval_count, quantity])
    })
    .toSorted()
    .join()
}

/** A discount without an end that the old subscription has and the new one does not. */
function lostForGood({ moved }: BothWorlds, { old }: Sides, successor: SubscriptionRow): boolean {
  return old !== undefined && forever(moved, old) && successor.discounts.length === 0
}

function forever({ world }: Sandbox, { discounts: ids }: SubscriptionRow): boolean {
  return [...world.accounts.values()].some((account) =>
    ids.some((id) => {
      const row = account.table(discounts).get(id)
      return row !== undefined && row.end === null
    }),
  )
}

/**
 * Members who lack an offer or have one too many, named as `verify` does: by their first
 * subscription.
 */
function accessNow(worlds: BothWorlds, granted: ReadonlySet<string> | undefined): readonly string[] {
  const people = Map.groupBy(
    worlds.members.filter(({ key }) => worlds.isDeclared(key)),
    (member) => `${emailOf(worlds, member)} ${offerOfMember(member)}`,
  )
  return [...people.values()].flatMap((theirs) => {
    const [first] = theirs
    if (first === undefined) return []
    const email = emailOf(worlds, first)
    const holds = heldOffers(worlds, email).includes(offerOfMember(first))
    const claims = theirs.filter((one) => isClaim(worlds, one)).map(({ key }) => key)
    const [paying] = claims.toSorted()
    if (paying !== undefined) return holds ? [] : [`access_missing ${paying}`]
    const [past] = theirs.map(({ key }) => key).toSorted()
    // A member who pays and is in no file keeps the offers.
    const others = worlds.members.filter((one) => emailOf(worlds, one) === email && !worlds.isDeclared(one.key))
    if (others.some((one) => offerOfMember(one) === offerOfMember(first) && isClaim(worlds, one))) return []
    return holds && grantedByUs(worlds, email, first, granted) ? [`access_extra ${past}`] : []
  })
}

/** Crossbill may revoke only what it granted. */
function grantedByUs(
  { moved, service }: BothWorlds,
  email: string,
  member: Member,
  granted: ReadonlySet<string> | undefined,
): boolean {
  const site = siteOf(moved.world)
  const contact = site.contactOf(email)
  const offer = service.access.offers[offerOfMember(member)]?.kajabi
  if (granted !== undefined && !granted.has(`${contact?.id} ${offerOfMember(member)}`)) return false
  return contact !== undefined && site.grantsOf(contact.id).some((one) => one.offer === offer && one.by === 'api')
}
