import { idOf } from '../../core/reference.ts'
import { listed } from '../send/listed.ts'
import { isJsonObject, type JsonObject, objectIn, type StripeObject } from '../../core/json.ts'
import { failed, success, type Failure, type Outcome } from '../../core/outcome.ts'
import { markCarried, oldIdOf } from '../../live/marks.ts'
import { isOver } from '../../live/subscription.ts'
import { successorOf } from '../../live/observations.ts'
import type { SendingPhase } from '../../handover/state.ts'
import type { Expectation } from '../../handover/types.ts'
import type { Context } from '../context.ts'
import { read } from '../send/perform.ts'
import type { StripeAccount } from '../ports.ts'

import { asObject, asSubscription, readSuccessors } from '../read/subscriptions.ts'

/** A request about to be sent, with its references filled in. */
export interface Sending {
  readonly phase: SendingPhase
  readonly account: StripeAccount
  readonly method: 'POST' | 'DELETE'
  readonly path: string
  readonly params: JsonObject
  readonly expect: Expectation
}

type Found = Outcome<StripeObject | undefined>

const unreadable: Failure = {
  kind: 'unknown',
  code: 'target_unreachable',
  message: 'the list could not be read',
  status: 0,
}

/**
 * The look-up that finds out whether a request was done, for requests that must not be sent twice.
 * Undefined for requests that only set values: the machine reads those back anyway.
 */
export function alreadyDone(context: Context, sending: Sending): (() => Promise<Found>) | undefined {
  const { phase, method, path } = sending
  if (phase === 'creating') return () => findSuccessor(context, sending.expect)
  if (method === 'DELETE')
    return path.startsWith('/v1/subscriptions/') ? () => findEnded(context, sending) : () => findGone(context, sending)
  if (path === '/v1/subscription_schedules') return () => findSchedule(context, sending)
  // Neither can be repeated: Stripe refuses a second void or finalization.
  const invoice = /^(\/v1\/invoices\/[^/]+)\/(void|finalize)$/.exec(path)
  if (invoice !== null)
    return () =>
      findInvoice(
        context,
        sending,
        invoice[1] ?? '',
        invoice[2] === 'void' ? ['void'] : ['open', 'paid', 'void', 'uncollectible'],
      )
  if (path.endsWith('/tax_ids')) return () => findTaxId(sending)
  if (path.endsWith('/balance_transactions')) return () => findMarked(sending, path, {}, ['amount', 'currency'])
  if (path === '/v1/invoiceitems')
    return () =>
      findMarked(sending, path, { customer: sending.params['customer'] }, ['amount', 'currency', 'invoice', 'period'])
  if (path === '/v1/invoices') return () => findMarked(sending, path, { customer: sending.params['customer'] }, [])
  return undefined
}

/** A successor that an undo cancelled does not count: it must be created again. */
async function findSuccessor(context: Context, expect: Expectation): Promise<Found> {
  const all = await readSuccessors(context, expect)
  if (all === undefined || all === 'erased') return failed(unreadable)
  const found = successorOf(all)
  return success(found === undefined ? undefined : asObject(found))
}

/** A subscription has at most one schedule, so an existing schedule was already created. */
async function findSchedule(context: Context, { account, params }: Sending): Promise<Found> {
  const found = await read(context, account, `/v1/subscriptions/${idOf(params['from_subscription'])}`)
  if (!found.ok) return found
  const id = idOf(found.value['schedule'])
  return success(id === undefined ? undefined : { object: 'subscription_schedule', id })
}

async function findEnded(context: Context, { account, path }: Sending): Promise<Found> {
  const found = await read(context, account, path)
  if (!found.ok) return found
  return success(isOver(asSubscription(found.value)) ? found.value : undefined)
}

async function findInvoice(
  context: Context,
  { account }: Sending,
  path: string,
  done: readonly string[],
): Promise<Found> {
  const found = await read(context, account, path)
  if (!found.ok) return found
  return success(done.some((status) => status === found.value['status']) ? found.value : undefined)
}

async function findGone(context: Context, { account, path }: Sending): Promise<Found> {
  const found = await read(context, account, path)
  if (found.ok) return success(undefined)
  return found.failure.code === 'resource_missing' ? success({ object: 'deleted' }) : found
}

/** The same number of the same type, regardless of spacing. */
async function findTaxId({ account, path, params }: Sending): Promise<Found> {
  const plain = (value: unknown): string => String(value).replaceAll(/\s/g, '').toUpperCase()
  return findInList(
    account,
    path,
    {},
    (one) => one['type'] === params['type'] && plain(one['value']) === plain(params['value']),
  )
}

/**
 * An object with the same marks and the same values. The marks tell it from what an earlier move
 * made: they name the object that it replaces, or the number of the hold. So it is found without
 * the store of the run that made it.
 */
async function findMarked(
  { account, params }: Sending,
  path: string,
  filter: JsonObject,
  fields: readonly string[],
): Promise<Found> {
  const wanted = Object.entries(objectIn(params['metadata']))
  return findInList(account, path, filter, (one) => {
    const marks = objectIn(one['metadata'])
    return (
      wanted.every(([key, mark]) => sameMark(key, mark, marks[key])) &&
      one['status'] !== 'void' &&
      fields.every((field) => sameField(params[field], one[field]))
    )
  })
}

/** The name of the source in a mark is a word of one checkout; the id after it is not. */
function sameMark(key: string, sent: unknown, found: unknown): boolean {
  if (key !== markCarried || typeof sent !== 'string' || typeof found !== 'string') return sent === found
  return oldIdOf(sent) === oldIdOf(found)
}

/** Compares only the fields that the request sets. */
function sameField(sent: unknown, found: unknown): boolean {
  if (sent === undefined) return true
  if (!isJsonObject(sent)) return sent === found
  return isJsonObject(found) && Object.entries(sent).every(([key, value]) => found[key] === value)
}

async function findInList(
  account: StripeAccount,
  path: string,
  filter: JsonObject,
  is: (object: StripeObject) => boolean,
): Promise<Found> {
  const all = await listed(account, path, filter)
  return all.ok ? success(all.value.find(is)) : failed({ ...unreadable, message: all.failure.message })
}
