import { createHash } from 'node:crypto'
import type Stripe from 'stripe'
import { present } from '../../src/core/assert.ts'
import type { Json, JsonObject, StripeObject } from '../../src/core/json.ts'
import { isJsonObject } from '../../src/core/json.ts'
import { CommandError, type Outcome } from '../../src/core/outcome.ts'
import { idOf } from '../../src/core/reference.ts'
import type { StripeAccount } from '../../src/engine/ports.ts'
import {
  bothRead,
  holdReason,
  invoiceRead,
  oldExpansions,
  oldRead,
  proved,
  tooLate,
} from '../../src/handover/events.ts'
import { gapOf } from '../../src/handover/gap.ts'
import { isSubscriptionUpdate, keepingDiscounts } from '../../src/live/keep-discounts.ts'
import { command, next } from '../../src/handover/machine.ts'
import { markFrom } from '../../src/live/marks.ts'
import { comparePreviews, previewParams } from '../../src/handover/preview.ts'
import { customerOf } from '../../src/handover/proof.ts'
import { beginOf, numbered, requestFor, withLive } from '../../src/handover/requests.ts'
import type { HandoverEvent } from '../../src/handover/event-types.ts'
import {
  atSource,
  isRest,
  type HandoverState,
  type RequestPhase,
  type SendingPhase,
  type StateIn,
} from '../../src/handover/state.ts'
import type { Goal, HandoverPlan, PlannedStep } from '../../src/handover/types.ts'
import type { DesiredSubscriber } from '../../src/catalog/types.ts'
import type { Classification } from '../../src/handover/types.ts'
import type { Stage } from './stage.ts'

type AnyPlan = HandoverPlan<Goal | 'undo'>

/** What a story does during a hand-over. */
export interface Interference {
  /** Before a command is executed; a thrown `Killed` ends the run there. */
  readonly before?: (state: HandoverState) => Promise<void> | void
  /** After a request was executed and before its answer is read. */
  readonly answered?: (phase: SendingPhase, state: HandoverState) => Promise<'lost' | void> | 'lost' | void
}

export class Killed extends Error {
  override name = 'Killed'
}

export interface Driven {
  readonly state: HandoverState
  readonly trail: readonly string[]
}

/**
 * A plain driver of the machine over two accounts: no journal, one hand-over at a time. `saved`
 * holds what the store would contain.
 */
export async function drive(
  stage: Stage,
  plan: AnyPlan,
  options: { from?: HandoverState; story?: Interference } = {},
): Promise<Driven> {
  const { story = {} } = options
  const saved: { state: HandoverState } = { state: options.from ?? atSource }
  const trail: string[] = []
  // Replaces the plan's digest and the observed generation: a later plan never replays answers of
  // an earlier one.
  plans += 1
  const events: HandoverEvent[] = [
    options.from === undefined || isRestedAnew(options.from) ? beginOf(plan, true) : { type: 'interrupted' },
  ]
  try {
    for (let i = 0; i < 60; i++) {
      for (const event of events.splice(0)) saved.state = next(saved.state, event)
      trail.push(saved.state.phase)
      if (isRest(saved.state.phase)) return { state: saved.state, trail }
      await story.before?.(saved.state)
      events.push(await perform(stage, plan, saved.state, story))
    }
  } catch (error) {
    if (!(error instanceof Killed)) throw error
    return { state: saved.state, trail: [...trail, 'killed'] }
  }
  throw new Error(`no rest after: ${trail.join(' ')}`)
}

let plans = 0

function isRestedAnew({ phase }: HandoverState): boolean {
  return isRest(phase) && phase !== 'doubtful'
}

async function perform(stage: Stage, plan: AnyPlan, state: HandoverState, story: Interference): Promise<HandoverEvent> {
  const wanted = command(state)
  const old = (): Promise<Stripe.Subscription | undefined> =>
    get<Stripe.Subscription>(stage.accounts.us, `/v1/subscriptions/${plan.expect.old}`, oldExpansions)
  switch (wanted.do) {
    case 'rest':
    case 'collect':
      throw new Error(`${wanted.do}: this driver neither rests nor marks invoices`)
    case 'read_old':
      return oldRead(plan, await old(), stage.now())
    case 'preview':
      return { type: 'previewed', reason: await preview(stage, plan as HandoverPlan) }
    case 'send':
      return send(stage, plan, wanted.state, story)
    case 'prove': {
      const [answer, held] = [await successor(stage, state), await old()]
      return proved(
        answer === undefined || held === undefined
          ? undefined
          : { expect: resolved(stage, plan).expect, answer, old: held },
      )
    }
    case 'read_both':
      return bothRead(plan, {
        old: await old(),
        successors: await readSuccessors(stage, plan),
        others: [],
        stopped: [],
        now: stage.now(),
      })
    case 'read_invoice':
      return readInvoice(stage, plan, state)
    case 'read_gap':
      return gapOf({
        expect: plan.expect,
        old: await old(),
        oldInvoices: await invoicesOf(stage, { subscription: plan.expect.old }),
        newInvoices: await newInvoices(stage, plan),
        begun: await invoicesOf(stage, { customer: plan.expect.customer_old }),
        accounted: state.accounted,
      })
  }
}

async function send(
  stage: Stage,
  plan: AnyPlan,
  state: StateIn<RequestPhase>,
  story: Interference,
): Promise<HandoverEvent> {
  const { phase } = state
  const none = { id: null, reason: null }
  const late = phase === 'holding' || phase === 'creating' ? tooLate(plan.expect, stage.now()) : null
  if (late !== null) return { type: 'sent', result: 'too_late', id: null, reason: late }
  const subscription = present(
    await get<Stripe.Subscription>(stage.accounts.us, `/v1/subscriptions/${plan.expect.old}`, oldExpansions),
    'old',
  )
  const schedule =
    phase === 'scheduling' && state.schedule !== null
      ? await get<Stripe.SubscriptionSchedule>(
          stage.accounts.target,
          `/v1/subscription_schedules/${state.schedule}`,
          [],
        )
      : undefined
  const before = subscription.schedule
  const live = {
    subscription,
    customer: customerOf(subscription),
    schedule,
    oldSchedule:
      before === null
        ? undefined
        : await get<Stripe.SubscriptionSchedule>(stage.accounts.us, `/v1/subscription_schedules/${idOf(before)}`, []),
    voided:
      state.phase === 'billing_gap'
        ? await get<Stripe.Invoice>(stage.accounts.us, `/v1/invoices/${state.period.invoice}`, [])
        : undefined,
  }
  const step = await withKept(stage, withLive(numbered(requestFor(state, plan, live), state, stage.now()), live))
  const outcome = await request(
    stage,
    step,
    `${plans} ${step.id} ${plan.expect.key} ${state.generation} ${state.rounds} ${state.done}`,
  )
  if ((await story.answered?.(phase, state)) === 'lost') return { type: 'sent', result: 'unknown', ...none }
  if (!outcome.ok) {
    const { kind, code, message } = outcome.failure
    return {
      type: 'sent',
      result: kind === 'unknown' ? 'unknown' : 'refused',
      id: null,
      reason: { code, message, fix: '' },
    }
  }
  const answer = outcome.value as unknown as Stripe.Subscription
  return { type: 'sent', result: 'done', id: answer.id, reason: phase === 'holding' ? holdReason(plan, answer) : null }
}

/** As the engine sends every update of a subscription. */
async function withKept(stage: Stage, step: PlannedStep): Promise<PlannedStep> {
  if (!isSubscriptionUpdate(step.method, step.path)) return step
  const account = step.account === 'target' ? stage.accounts.target : stage.accounts.us
  const subscription = present(await get<Stripe.Subscription>(account, step.path, []), 'subscription')
  return { ...step, params: keepingDiscounts(step.params, subscription, stage.now()) }
}

function request(stage: Stage, step: PlannedStep, key: string): Promise<Outcome<StripeObject>> {
  const account = step.account === 'target' ? stage.accounts.target : stage.accounts.us
  const params = inPlace(stage, step.params) as JsonObject
  const { method, path } = step
  const idempotencyKey = createHash('sha256')
    .update(`${key} ${JSON.stringify(params)} ${stage.now()}`)
    .digest('hex')
  return account.send(method === 'POST' ? { method, path, params, idempotencyKey } : { method, path, params })
}

async function preview(stage: Stage, plan: HandoverPlan): Promise<ReturnType<typeof comparePreviews>> {
  const params = previewParams(plan)
  const of = async (account: string, given: JsonObject): Promise<Stripe.Invoice | undefined> => {
    const step = { id: 'preview', account, method: 'POST' as const, path: '/v1/invoices/create_preview', params: given }
    const outcome = await request(stage, step, `preview ${account}`)
    return outcome.ok ? (outcome.value as unknown as Stripe.Invoice) : undefined
  }
  return comparePreviews(plan, await of('us', params.old), await of('target', params.new))
}

async function get<T>(account: StripeAccount, path: string, expand: readonly string[]): Promise<T | undefined> {
  const outcome = await account.send({ method: 'GET', path, params: { expand: [...expand] } })
  return outcome.ok ? (outcome.value as unknown as T) : undefined
}

function successor(stage: Stage, state: HandoverState): Promise<Stripe.Subscription | undefined> {
  const id = present(state.successor, 'successor')
  return get<Stripe.Subscription>(stage.accounts.target, `/v1/subscriptions/${id}`, [
    ...oldExpansions,
    'pending_setup_intent',
  ])
}

/** Undefined when the list could not be read completely. */
async function readSuccessors(stage: Stage, plan: AnyPlan): Promise<readonly Stripe.Subscription[] | undefined> {
  try {
    return await successors(stage, plan)
  } catch (error) {
    if (error instanceof CommandError) return undefined
    throw error
  }
}

async function successors(stage: Stage, { expect }: AnyPlan): Promise<readonly Stripe.Subscription[]> {
  const all: Stripe.Subscription[] = []
  for await (const one of stage.accounts.target.list('/v1/subscriptions', {
    customer: expect.customer_new,
    status: 'all',
  }))
    all.push(one as unknown as Stripe.Subscription)
  return all.filter(({ metadata }) => metadata[markFrom] === expect.key)
}

/** Its payments and their charges are deeper than one read shows. */
async function readInvoice(stage: Stage, plan: AnyPlan, state: HandoverState): Promise<HandoverEvent> {
  const subscription = await successor(stage, state)
  if (subscription === undefined) return invoiceRead(plan, undefined)
  const { latest_invoice: latest } = subscription
  if (latest === null) return invoiceRead(plan, { subscription, invoice: null, invoices: [] })
  const id = typeof latest === 'string' ? latest : latest.id
  const invoice = await get<Stripe.Invoice>(stage.accounts.target, `/v1/invoices/${id}`, ['payments'])
  if (invoice === undefined) return invoiceRead(plan, undefined)
  const data: Stripe.InvoicePayment[] = []
  for (const one of invoice.payments?.data ?? []) {
    const intent = one.payment.payment_intent
    const path = `/v1/payment_intents/${typeof intent === 'string' ? intent : (intent?.id ?? '')}`
    const read = await get<Stripe.PaymentIntent>(stage.accounts.target, path, ['latest_charge'])
    if (read === undefined) return invoiceRead(plan, undefined)
    data.push({ ...one, payment: { ...one.payment, payment_intent: read } })
  }
  const payments = { ...invoice.payments, data } as Stripe.ApiList<Stripe.InvoicePayment>
  const whole = { ...invoice, payments }
  return invoiceRead(plan, { subscription, invoice: whole, invoices: [whole] })
}

async function newInvoices(stage: Stage, plan: AnyPlan): Promise<readonly Stripe.Invoice[]> {
  const all: Stripe.Invoice[] = []
  for (const { id } of await successors(stage, plan))
    for await (const one of stage.accounts.target.list('/v1/invoices', { subscription: id }))
      all.push(one as unknown as Stripe.Invoice)
  return all
}

async function invoicesOf(stage: Stage, params: JsonObject): Promise<readonly Stripe.Invoice[]> {
  const all: Stripe.Invoice[] = []
  for await (const one of stage.accounts.us.list('/v1/invoices', params)) all.push(one as unknown as Stripe.Invoice)
  return all
}

/** `$ref` values as ids, as the executor resolves them from the store. */
function resolved<T extends AnyPlan>(stage: Stage, plan: T): T {
  return inPlace(stage, plan as unknown as Json) as unknown as T
}

function inPlace(stage: Stage, value: Json): Json {
  if (Array.isArray(value)) return value.map((one: Json) => inPlace(stage, one))
  if (!isJsonObject(value)) return value
  const ref = value['$ref']
  if (typeof ref === 'string') return present(stage.ids.get(`target ${ref}`), ref)
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, inPlace(stage, one ?? null)]))
}

/**
 * Moves the only subscriber of a stage as its file says, like repeated applies: an incomplete
 * hand-over is first finished or undone, with the store's state or, when `forgotten`, with the
 * marks alone.
 */
export async function settleDown(
  stage: Stage,
  wanted: DesiredSubscriber['stage'],
  remembered?: { readonly state: HandoverState; readonly plan: AnyPlan },
): Promise<Classification> {
  if (remembered !== undefined) await drive(stage, remembered.plan, { from: remembered.state })
  for (let i = 0; i < 4; i++) {
    const one = present((await stage.classify(wanted))[0], 'subscriber')
    const plan = one.recovery ?? ('plan' in one ? one.plan : undefined)
    if (plan === undefined) return one
    await drive(stage, plan)
  }
  return present((await stage.classify(wanted))[0], 'subscriber')
}

/** Charges as a member sees them: when and how much, in any account. */
export async function billsOf(stage: Stage, since = ''): Promise<readonly string[]> {
  const charges = await stage.charges()
  return charges
    .filter(({ at, status }) => at >= since && status === 'succeeded')
    .map(({ at, customer, amount, currency }) => `${at} ${customer} ${amount} ${currency}`)
    .toSorted()
}
