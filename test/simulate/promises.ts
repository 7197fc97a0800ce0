import { formatInstant } from '../../src/core/instant.ts'
import { isJsonObject } from '../../src/core/json.ts'
import { CommandError } from '../../src/core/outcome.ts'
import { compareCharges } from '../../src/engine/rehearse/compare-charges.ts'
import { asRebuilt } from '../../src/engine/as-rebuilt.ts'
import type { Context } from '../../src/engine/context.ts'
import { isUnfinished } from '../../src/engine/handover/hand-over.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import type { StripeRequest } from '../../src/engine/ports.ts'
import { stateRebuild } from '../../src/engine/rebuild.ts'
import { stateExport } from '../../src/engine/state.ts'
import { verify } from '../../src/engine/verify/verify.ts'
import { markAddress, markFrom, markHolds, markDue, markMoney, markReverting } from '../../src/live/marks.ts'
import type { Plan } from '../../src/plan/types.ts'
import { siteOf } from '../../src/sandbox/kajabi/module.ts'
import type { Row, TableDefinition } from '../../src/sandbox/kernel/tables.ts'
import type { Sandbox } from '../../src/sandbox/sandbox.ts'
import { coupons } from '../../src/sandbox/stripe/coupons.ts'
import { customers } from '../../src/sandbox/stripe/customer-row.ts'
import { prices as priceTable } from '../../src/sandbox/stripe/prices.ts'
import type { OpenStore } from '../../src/store/open.ts'
import {
  billsOf,
  collects,
  emailOf,
  goesOn,
  heldOffers,
  isClaim,
  isLive,
  isStranded,
  offerOfMember,
  payersOf,
  rowsOf,
  sidesOf,
} from './ground.ts'
import type { Life } from './life.ts'
import { violationsNow } from './truth.ts'
import type { Member, BothWorlds } from './world.ts'

// The ten promises (each check names its promise), checked in the rows of the simulated worlds.

interface Marked extends Row {
  readonly active: boolean
  readonly metadata: Readonly<Record<string, string>>
}

const productTable: TableDefinition<Marked> = { name: 'products' }

/** A broken promise: `promise 1: …`. */
export class Broken extends Error {
  override name = 'Broken'
}

function broken(promise: number, what: string): Broken {
  return new Broken(`promise ${promise}: ${what}`)
}

/**
 * Promise 1, one payer: at no instant could two accounts charge one subscriber. Checked between any
 * two requests.
 */
export function onePayer(worlds: BothWorlds): void {
  for (const member of worlds.members) {
    const payers = payersOf(sidesOf(worlds, member))
    if (payers.length > 1) throw broken(1, `${member.key} has two payers: ${payers.join(' and ')}`)
  }
}

/**
 * Promise 1, the other half: when no work is in progress, every member who would be billed without
 * Crossbill has exactly one payer, and no other member has one.
 */
export function exactlyOnePayer(worlds: BothWorlds, life: Life): void {
  for (const member of worlds.members) {
    if (life.beginsAnew(member) || life.dunnedApart(worlds, member)) continue
    const sides = sidesOf(worlds, member)
    const wanted = sides.controlRun !== undefined && collects(sides.controlRun) ? 1 : 0
    const payers = payersOf(sides)
    if (payers.length === wanted) continue
    const said = payers.length === 0 ? 'no payer' : payers.join(' and ')
    throw broken(wanted === 0 ? 9 : 1, `${member.key} should have ${wanted} payers and has ${said}`)
  }
}

/**
 * Promise 2, same bill: date to the second, amount to the cent, and currency, as in the control
 * run.
 */
export function sameBills(worlds: BothWorlds, life: Life): void {
  const { expected, actual } = billsOf(worlds)
  const found = compareCharges(expected, actual).filter(({ code, subscriber }) => {
    const member = worlds.members.find(({ key }) => key === subscriber)
    // A revert just after a renewal takes the new account's invoice back and bills the period in
    // the old account: the same amount, a little later.
    if (member !== undefined && life.dunnedApart(worlds, member)) return false
    return member === undefined || !(life.beginsAnew(member) || (code === 'date_differs' && life.of(member).reverted))
  })
  const [first, ...others] = found
  if (first === undefined) return
  const at = formatInstant(first.at)
  throw broken(2, `${first.code} ${first.subscriber} ${at}: ${first.detail} (and ${others.length} more)`)
}

/**
 * Promise 2, of debts: Stripe stops the collection of every invoice of a customer when one of the
 * subscriptions is cancelled; a cancel by Crossbill leaves the invoices of the others as they were.
 */
export function stopsNoCollection(worlds: BothWorlds, before: readonly string[]): void {
  const stranded = before.find((one) => isStranded(worlds, one))
  if (stranded !== undefined) throw broken(2, `${stranded} is no longer collected, and its subscription continues`)
}

/** Promise 3, no member forgotten: `verify` reports all that is wrong and nothing else. */
export async function verifyTellsTheTruth(worlds: BothWorlds, life: Life, context: Context): Promise<number> {
  const { violations } = await verify(context)
  const told = new Set(
    violations.filter(({ code }) => code !== 'entry_invalid').map(({ code, subscriber }) => `${code} ${subscriber}`),
  )
  const { must, may } = violationsNow(worlds, life, await worlds.granted())
  const silent = [...must].filter((one) => !told.has(one))
  if (silent.length > 0)
    throw broken(3, `verify is silent about ${silent.join(', ')}; it says ${[...told].join(', ') || 'nothing'}`)
  const untrue = [...told].filter((one) => !must.has(one) && !may.has(one))
  if (untrue.length > 0) throw broken(3, `verify says what is not so: ${untrue.join(', ')}`)
  return violations.length
}

/** Promise 3: no successor that exists in the target is reported as missing. */
export function missesNoSuccessor(worlds: BothWorlds, { blocked }: Plan): void {
  for (const { address, code } of blocked) {
    const member = worlds.members.find(({ key }) => address === `subscriber.${key}`)
    if (code !== 'successor_missing' || member === undefined) continue
    const [successor] = sidesOf(worlds, member).successors
    if (successor !== undefined) throw broken(3, `${successor.id} of ${member.key} is called missing`)
  }
}

/** One sent request and the account that received it. */
export interface Sent extends StripeRequest {
  readonly account: string
  /**
   * Nothing came of it. Measured in the world's own rows: the customer that the request names was
   * the same before and after it; or Stripe replayed an error that an earlier run had met.
   */
  isIdle?: boolean
}

/**
 * The customer of a request that only unsets metadata: the form of a register, which asks Stripe's
 * idempotency keys what two runs must agree on. Undefined for every other request, which always
 * needs a plan.
 */
export function customerOfRegister({ moved }: BothWorlds, account: string, request: StripeRequest): string | undefined {
  const id = /^\/v1\/customers\/(\w+)$/.exec(request.path)?.[1]
  const { metadata, ...others } = request.params ?? {}
  const unsets = isJsonObject(metadata) && Object.values(metadata).every((value) => value === null)
  if (request.method !== 'POST' || id === undefined || !unsets || Object.keys(others).length > 0) return undefined
  return JSON.stringify(moved.world.accounts.get(account)?.table(customers).get(id))
}

/**
 * What a revert and an undo do about the newest invoice of the target and an uncharged period. They
 * decide it during the work, and only that.
 */
const aboutInvoices =
  /^\/v1\/(invoices(\/[^/]+(\/(finalize|void))?)?|invoiceitems|subscription_schedules\/[^/]+\/release)$/

/**
 * Promise 4, what you reviewed is what happens: every sent request is in the plan, and none is sent
 * twice. A register changes nothing that a person could review, so no plan has it; that it changed
 * nothing is measured, not assumed.
 */
export function onlyWhatWasPlanned(plan: Plan, sent: readonly Sent[]): void {
  const left = plan.changes.flatMap(({ steps }) =>
    steps.map(({ account, method, path }) => ({ account, method, pattern: patternOf(path) })),
  )
  const keys = new Set<string>()
  for (const { account, method, path, params, isIdle, idempotencyKey } of sent) {
    if (isIdle === true || isNote(params)) continue
    // Sent again under its own key it is the same request: an earlier one may still be under way.
    if (idempotencyKey !== undefined && keys.has(`${account} ${idempotencyKey}`)) continue
    keys.add(`${account} ${idempotencyKey ?? path}`)
    const at = left.findIndex((step) => step.account === account && step.method === method && step.pattern.test(path))
    if (at >= 0) left.splice(at, 1)
    else if (!aboutInvoices.test(path))
      throw broken(4, `${method} ${path} was sent to ${account} and stands in no plan`)
  }
}

/** A note of work on its way, which bills nothing: what waits, and that it waits no longer. */
function isNote(params: StripeRequest['params']): boolean {
  const { metadata, ...others } = params ?? {}
  if (!isJsonObject(metadata) || Object.keys(others).some((name) => name !== 'discounts')) return false
  return Object.keys(metadata).every((name) => name === markDue || name === markReverting || name.startsWith(markMoney))
}

function patternOf(path: string): RegExp {
  const parts = path.split('/').map((part) => (/^[\w.-]*$/.test(part) ? part.replaceAll('.', String.raw`\.`) : '[^/]+'))
  return new RegExp(`^${parts.join('/')}$`)
}

/** Promise 4: refused with one of these codes before any request was sent. */
export function refusedWith(error: unknown, codes: readonly string[], sent: readonly Sent[]): void {
  if (!(error instanceof CommandError) || !codes.includes(error.code))
    throw broken(4, `a plan that no longer fits was not refused as ${codes.join(' or ')}: ${String(error)}`)
  const [first] = sent.filter(({ isIdle }) => isIdle !== true)
  if (first !== undefined) throw broken(4, `refused as ${error.code}, yet ${first.method} ${first.path} was sent`)
}

/**
 * Promise 5, crash anywhere, run again: no object is created twice. In the middle of a replacement
 * a price with other terms stands beside its predecessor.
 */
export function nothingTwice({ moved }: BothWorlds, isUnfinished: boolean): void {
  const tables = moved.world.account('target')
  const rows = [
    ...[...tables.table(productTable).all()].filter(({ active }) => active),
    ...[...tables.table(priceTable).all()].filter(({ active }) => active),
    ...tables.table(coupons).all(),
  ]
  const seen = new Set<string>()
  for (const { id, metadata, ...terms } of rows) {
    const address = metadata?.[markAddress]
    if (address === undefined) continue
    const name = isUnfinished && 'unit_amount' in terms ? `${address} ${String(terms.unit_amount)}` : address
    if (seen.has(name)) throw broken(5, `${name} exists twice; ${id} is the second`)
    seen.add(name)
  }
  const live = new Set<string>()
  for (const row of rowsOf(moved, 'target')) {
    const from = row.metadata[markFrom]
    if (from === undefined || !isLive(row)) continue
    if (live.has(from)) throw broken(5, `${from} has two successors`)
    live.add(from)
  }
}

/**
 * Promise 5: a killed run and its successor end like a run without a kill. Ids differ; everything
 * else is compared.
 */
export function sameEnd(worlds: BothWorlds, clean: Sandbox): void {
  for (const { key, account, old } of worlds.members) {
    const [after, wanted] = [endOf(worlds.moved, { key, account, old }), endOf(clean, { key, account, old })]
    if (after !== wanted) throw broken(5, `${key} ended as ${after}, without the kill as ${wanted}`)
  }
}

function endOf(sandbox: Sandbox, { key, account, old }: Pick<Member, 'key' | 'account' | 'old'>): string {
  const before = rowsOf(sandbox, account).find(({ id }) => id === old)
  const successors = rowsOf(sandbox, 'target').filter((row) => row.metadata[markFrom] === key && isLive(row))
  return JSON.stringify({
    old:
      before === undefined ? null : [before.status, before.pause_collection, Object.keys(before.metadata).toSorted()],
    new: successors.map(({ status, items, discounts, pause_collection: pause, ...row }) => [
      status,
      items.map(({ quantity, current_period_end: end }) => [quantity, end]),
      discounts.length,
      pause,
      row.billing_cycle_anchor,
      row.trial_end,
      row.cancel_at,
      row.default_tax_rates.length,
      row.default_payment_method !== null,
    ]),
  })
}

/**
 * Promise 6, undo: a member who was moved back is billed in the old account as if the move had not
 * happened.
 */
export function asIfNothingHad(worlds: BothWorlds, life: Life): void {
  for (const member of worlds.members) {
    const { old, controlRun, held, live } = sidesOf(worlds, member)
    if (!life.of(member).reverted || held || live.length > 0 || old === undefined || controlRun === undefined) continue
    if (life.beginsAnew(member) || !isLive(old)) continue
    const [now, wanted] = [JSON.stringify(billedAs(old)), JSON.stringify(billedAs(controlRun))]
    if (now !== wanted) throw broken(6, `${member.key} was reverted and is ${now}; in the control run it is ${wanted}`)
  }
}

/**
 * Invoices of the time in the other account are in the other account, and what the operator created
 * later was requested later. The number of the last release stays, because the keys of the next
 * hand-over derive from it; it bills nothing. Every other mark, and a number of another form, is a
 * difference.
 */
function billedAs(row: ReturnType<typeof rowsOf>[number]): object {
  const { latest_invoice: _invoice, default_payment_method: method, discounts, canceled_at: _asked, ...rest } = row
  const { [markHolds]: number = '1 0', ...others } = row.metadata
  const metadata = /^[1-9]\d* \d+$/.test(number) ? others : row.metadata
  return { ...rest, metadata, discounts: discounts.length, card: method !== null }
}

/** Objects of others that existed in the accounts and in Kajabi before. */
export interface Foreign {
  /** `target prod_…` */
  readonly ids: readonly string[]
  readonly friend: string
}

/**
 * Promise 7, ownership: no request changes objects of others, no object with history is deleted,
 * offers granted by people stay.
 */
export function touchesOnlyItsOwn(worlds: BothWorlds, { ids, friend }: Foreign, sent: readonly Sent[]): void {
  for (const { account, method, path } of sent) {
    const foreign = ids.find((one) => one.startsWith(`${account} `) && path.includes(one.slice(account.length + 1)))
    if (foreign !== undefined)
      throw broken(7, `${method} ${path} in ${account} concerns an object that Crossbill did not make`)
    // An item that waits moves to the new account: it is a debt, and no history.
    const isCarried = path.startsWith('/v1/invoiceitems/')
    if (method === 'DELETE' && !isCarried && !path.startsWith('/v1/subscriptions/'))
      throw broken(7, `DELETE ${path} in ${account}`)
  }
  const site = siteOf(worlds.moved.world)
  if (site.grantsOf(friend).length === 0) throw broken(7, 'an offer given by hand was taken away')
}

/** Promise 7: removing YAML cancels no subscription and revokes nothing. */
export function erasedStay(worlds: BothWorlds, plan: Plan): void {
  for (const { key } of worlds.members) {
    if (worlds.isDeclared(key)) continue
    const change = plan.changes.find(({ address }) => address.includes(key))
    if (change !== undefined)
      throw broken(7, `${key} is in no file, and the plan would ${change.action} ${change.address}`)
  }
}

/**
 * Promise 8, losing the state loses nothing: a store that is rebuilt from the marks names the same
 * objects, and every member is in the same place.
 */
export async function rebuiltEquals(
  worlds: BothWorlds,
  lost: OpenStore,
  context: Context & { readonly store: OpenStore },
): Promise<void> {
  const before = await told(worlds, lost, context)
  // Only the store that began a hand-over knows its step in flight; the accounts show its end.
  const inFlight = (await lost.subscribers()).filter(isUnfinished).map(({ key }) => key)
  const isInFlight = (one: string): boolean => inFlight.some((key) => one.startsWith(`${key} `))
  const { findings } = await stateRebuild(context)
  const after = await told(worlds, context.store, context)
  if (findings.length > 0) throw broken(8, findings.join('; '))
  const missing = before.filter((one) => !after.includes(one) && !isInFlight(one))
  // It may contain more grants: those of members who were in no file when the lost store was
  // written.
  const more = after.filter((one) => !before.includes(one) && !one.startsWith('grant ') && !isInFlight(one))
  if (missing.length + more.length > 0)
    throw broken(
      8,
      `rebuilt without ${missing.join(', ') || 'nothing'}, with ${more.join(', ') || 'nothing'} in its place`,
    )
}

/**
 * What the commands report with this store, one line each: what the store lacks, they read from the
 * accounts. A member who never left the source is the same as an unknown one.
 */
async function told(worlds: BothWorlds, store: OpenStore, context: Context): Promise<readonly string[]> {
  const here = whoGoesOn(worlds)
  // The next pull adds a member whose entry was removed.
  const erased = new Set(worlds.members.filter(({ key }) => !worlds.isDeclared(key)).map(({ old }) => old))
  const known = await asRebuilt({ ...context, store })
  // An object that waits for its replacement has no mark of what it should be.
  const { changes } = await makePlan({ ...context, store })
  const open = new Set<string>(changes.map(({ address }) => address))
  const identities = (await stateExport({ store: known.store, catalog: context.catalog }))
    .filter(({ old_id: old, address, kind }) => !erased.has(old) && (kind === 'subscription' || !open.has(address)))
    .map((one) => JSON.stringify(one))
  const phases = (await known.store.subscribers())
    .filter(({ key, phase }) => phase !== 'source' && here.has(key) && worlds.isDeclared(key))
    .map(({ key, phase }) => `${key} ${phase}`)
  // A missing offer has no mark either; the mappings may not know what a member pays for who is in
  // no file.
  const site = siteOf(worlds.moved.world)
  const grants = (await store.inbox.grants())
    .filter(({ subscribers }) => subscribers.some((one) => worlds.isDeclared(one)))
    .filter(({ contact, offer }) => site.grants.has(`${contact}/${worlds.service.access.offers[offer]?.kajabi}`))
    // The mark in Kajabi is the customer's id; a deleted customer shows no subscription any more.
    .filter(({ customer }) => worlds.moved.world.account('target').table(customers).get(customer)?.deleted !== true)
    .map(({ contact, offer, customer }) => `grant ${contact} ${offer} ${customer}`)
  return [...identities, ...phases, ...grants].toSorted()
}

/** Promise 9: a member who asked to leave has left both accounts, and no other member has. */
export function onlyTheyLeft(worlds: BothWorlds, who: Member, before: ReadonlySet<string>): void {
  const after = whoGoesOn(worlds)
  if (after.has(who.key)) throw broken(9, `${who.key} asked to leave and is still there`)
  for (const key of before)
    if (key !== who.key && !after.has(key)) throw broken(9, `${key} was cancelled instead of ${who.key}`)
}

export function whoGoesOn(worlds: BothWorlds): ReadonlySet<string> {
  return new Set(worlds.members.filter((one) => goesOn(sidesOf(worlds, one))).map(({ key }) => key))
}

/**
 * Promise 9, of offers: after an apply, every member who pays has the offer, and no member has one
 * that has ended.
 */
export async function rightAccess(worlds: BothWorlds): Promise<void> {
  const granted = await worlds.granted()
  const wanted = new Map<string, Set<string>>()
  for (const member of worlds.members) {
    const email = emailOf(worlds, member)
    const offers = wanted.get(email) ?? new Set()
    wanted.set(email, offers)
    if (worlds.isDeclared(member.key) && isClaim(worlds, member)) offers.add(offerOfMember(member))
  }
  for (const [email, offers] of wanted) {
    const held = heldOffers(worlds, email)
    const missing = [...offers].find((one) => !held.includes(one))
    if (missing !== undefined) throw broken(9, `${email} pays for ${missing} and does not hold it`)
    const stays = worlds.members.some((one) => emailOf(worlds, one) === email && !worlds.isDeclared(one.key))
    const contact = siteOf(worlds.moved.world).contactOf(email)?.id
    const extra = held.find((one) => !offers.has(one) && granted.has(`${contact} ${one}`))
    if (extra !== undefined && !stays) throw broken(9, `${email} holds ${extra} and does not pay for it`)
  }
}

/** Promise 10, convergence: right after an apply, nothing is left to do. */
export async function nothingLeft(context: Context, isElsewhere: boolean): Promise<Plan> {
  const plan = await makePlan(context)
  const left = plan.changes.filter(({ address }) => !(isElsewhere && address.startsWith('access.')))
  if (left.length > 0) {
    const open = left.map(({ action, address, because }) => `${action} ${address} (${because.join(', ')})`)
    throw broken(10, `left to do after apply: ${open.join(', ')}`)
  }
  return plan
}
