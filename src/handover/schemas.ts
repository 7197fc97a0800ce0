import Type from 'typebox'
import {
  keyOfSubscriber,
  oneOf,
  orNull,
  params,
  schemaOf,
  seconds,
  tagged,
  text,
  texts,
  whole,
} from '../core/exact-schema.ts'
import { overrideCodes } from '../catalog/override-codes.ts'
import { alarmCodes } from './codes.ts'
import type { HandoverState, InvoicePhase, Phase, PhaseFields, StateIn } from './state.ts'
import type {
  ChargeForecast,
  Expectation,
  ExpectedDiscount,
  Goal,
  HandoverPlan,
  PlannedStep,
  ProofExpectation,
  Reference,
  UnpaidPeriod,
} from './types.ts'

/*
 * The form of what the hand-over writes to plan files and to the store, and reads again. Later
 * versions may add keys.
 */

const goal = oneOf<Goal | 'undo'>({ move: true, settle: true, revert: true, undo: true })
const pause = orNull(Type.Object({ behavior: text, resumes_at: orNull(whole) }))

const reference = schemaOf<Reference>()(Type.Union([text, Type.Object({ $ref: text })]))

const discount = schemaOf<ExpectedDiscount>()(
  Type.Object({ coupon: reference, after: orNull(whole), until: orNull(whole) }),
)

const anchorConfig = Type.Object({
  day_of_month: whole,
  month: Type.Optional(whole),
  hour: whole,
  minute: whole,
  second: whole,
})

const proof = schemaOf<ProofExpectation>()(
  Type.Object({
    status: oneOf<ProofExpectation['status']>({ active: true, trialing: true }),
    currency: text,
    customer: text,
    collection_method: text,
    days_until_due: orNull(whole),
    billing_mode: text,
    period_end: whole,
    anchor: Type.Object({ at: Type.Array(whole), day: orNull(whole), config: orNull(anchorConfig) }),
    trial_end: orNull(whole),
    cancel_at: orNull(whole),
    cancel_at_period_end: Type.Boolean(),
    automatic_tax: Type.Boolean(),
    default_tax_rates: Type.Array(reference),
    payment: orNull(text),
    items: Type.Array(
      Type.Object({
        price: reference,
        quantity: orNull(whole),
        tax_rates: Type.Array(reference),
        discounts: Type.Array(discount),
      }),
    ),
    discounts: Type.Array(discount),
    pause,
    schedule: Type.Boolean(),
    metadata: Type.Record(text, text),
  }),
)

const unpaidPeriod = schemaOf<UnpaidPeriod>()(
  Type.Object({
    invoice: text,
    at: whole,
    amount: whole,
    currency: text,
    outcome: oneOf<UnpaidPeriod['outcome']>({ billed: true, left: true, waived: true, credit: true }),
  }),
)

const expected = {
  goal,
  project: text,
  key: keyOfSubscriber,
  source: text,
  old: text,
  customer_old: text,
  customer_new: text,
  currency: text,
  fingerprint: text,
  next: orNull(whole),
  window: whole,
  before_pause: pause,
  held_since: whole,
  holds: Type.Optional(whole),
  successor: orNull(text),
  successor_fingerprint: orNull(text),
  balance: orNull(whole),
  override: Type.Array(oneOf(overrideCodes)),
  carry: texts,
  money: texts,
  money_after: Type.Array(keyOfSubscriber),
  together: Type.Optional(Type.Array(keyOfSubscriber)),
  tax: oneOf<Expectation['tax']>({ same: true, recompute: true }),
  tax_change: orNull(Type.Object({ before: text, after: text })),
  proof: orNull(proof),
  gap: oneOf<Expectation['gap']>({ invoice: true, leave: true }),
  undoes_failed_setup: Type.Optional(Type.Literal(true)),
  proven: Type.Optional(Type.Literal(true)),
  same_card: Type.Optional(Type.Literal(true)),
  hold: Type.Optional(text),
  by_usage: Type.Optional(Type.Literal(true)),
  tax_rates_back: Type.Optional(Type.Record(text, text)),
  periods: Type.Optional(Type.Array(unpaidPeriod)),
}

const expectationSchema = schemaOf<Expectation>()(Type.Object(expected))

/** The expectation of a change in a plan. */
export const plannedExpectationSchema = schemaOf<Expectation & { readonly seen: string }>()(
  Type.Object({ ...expected, seen: text }),
)

const plannedStep = schemaOf<PlannedStep>()(
  Type.Object({
    id: text,
    account: text,
    method: oneOf<PlannedStep['method']>({ POST: true, DELETE: true }),
    path: text,
    params,
  }),
)

const charge = schemaOf<ChargeForecast>()(
  Type.Object({
    at: seconds,
    amount: whole,
    currency: text,
    before: Type.Object({ at: seconds, amount: whole, currency: text, account: text }),
    tax_not_included: Type.Optional(Type.Literal(true)),
    paused: Type.Optional(Type.Object({ until: orNull(seconds) })),
  }),
)

/** The hand-over of a subscriber who is not at rest, as the store keeps it. */
export const handoverPlanSchema = schemaOf<HandoverPlan<Goal | 'undo'>>()(
  Type.Object({
    goal,
    because: texts,
    steps: Type.Array(plannedStep),
    expect: expectationSchema,
    charge: orNull(charge),
    unproven: Type.Boolean(),
    unexplained: Type.Optional(Type.Literal(true)),
  }),
)

const lists = Type.Object({ carry: whole, money: whole, pause: Type.Boolean(), schedule: Type.Boolean() })
const takenLine = Type.Object({ amount: whole, added: whole, start: whole, end: whole, rates: texts })
const kept = {
  invoice: text,
  at: whole,
  amount: whole,
  currency: text,
  itemsOnly: Type.Boolean(),
  more: Type.Optional(Type.Array(takenLine)),
}

const reasonSchema = Type.Object({ code: text, message: text, fix: text })

const facts = {
  goal,
  lists,
  successor: orNull(text),
  generation: orNull(whole),
  skips: whole,
  unsure: Type.Boolean(),
  refused: Type.Boolean(),
  foreign: Type.Boolean(),
  closed: orNull(oneOf<'shut' | 'used'>({ shut: true, used: true })),
  proven: Type.Boolean(),
  replayed: Type.Boolean(),
  done: whole,
  rounds: whole,
  reason: orNull(reasonSchema),
  setup: orNull(reasonSchema),
  alarm: orNull(oneOf(alarmCodes)),
  invoice: orNull(text),
  charged: Type.Boolean(),
  accounted: Type.Array(Type.Object({ ...kept, outcome: oneOf<'billed' | 'left'>({ billed: true, left: true }) })),
  schedule: orNull(text),
  uncollected: texts,
}

const withSuccessor = { ...facts, successor: text }

/** The machine's state, as the store keeps it. */
export const stateSchema = tagged<HandoverState>('phase', [
  schemaOf<StateIn<Exclude<Phase, keyof PhaseFields>>>()(
    Type.Object({
      ...facts,
      phase: oneOf<Exclude<Phase, keyof PhaseFields>>({
        source: true,
        moved: true,
        settled: true,
        ended: true,
        doubtful: true,
        reading: true,
        previewing: true,
        recovering: true,
        checking_gap: true,
        carrying: true,
        holding: true,
        creating: true,
        money_back: true,
        closing: true,
        restoring_old: true,
        accounting: true,
      }),
    }),
  ),
  schemaOf<StateIn<SuccessorPhase>>()(
    Type.Object({
      ...withSuccessor,
      phase: oneOf<SuccessorPhase>({
        pausing: true,
        scheduling: true,
        proving: true,
        money: true,
        keeping: true,
        reholding: true,
        reading_invoice: true,
        cancelling_new: true,
        cancelling_old: true,
      }),
    }),
  ),
  schemaOf<StateIn<InvoicePhase>>()(
    Type.Object({
      ...withSuccessor,
      phase: oneOf<InvoicePhase>({ stopping_invoice: true, finalizing_invoice: true, voiding_invoice: true }),
      invoice: text,
      invoiceSight: oneOf<'draft' | 'open'>({ draft: true, open: true }),
    }),
  ),
  schemaOf<StateIn<'refunding'>>()(
    Type.Object({ ...withSuccessor, phase: Type.Literal('refunding'), invoice: text, payment: text }),
  ),
  schemaOf<StateIn<'releasing_new' | 'releasing_schedule'>>()(
    Type.Object({
      ...withSuccessor,
      phase: oneOf<'releasing_new' | 'releasing_schedule'>({ releasing_new: true, releasing_schedule: true }),
      schedule: text,
    }),
  ),
  schemaOf<StateIn<'advancing_draft'>>()(
    Type.Object({ ...facts, phase: Type.Literal('advancing_draft'), invoice: text, period: Type.Object(kept) }),
  ),
  schemaOf<StateIn<'billing_gap'>>()(
    Type.Object({ ...facts, phase: Type.Literal('billing_gap'), period: Type.Object(kept), gap: whole }),
  ),
  schemaOf<StateIn<'restoring_collection'>>()(
    Type.Object({
      ...facts,
      phase: Type.Literal('restoring_collection'),
      stopped: Type.Array(
        Type.Object({ side: oneOf<'old' | 'new'>({ old: true, new: true }), invoice: text, cancelled: text }),
      ),
    }),
  ),
])

/** Phases whose only field of their own is the successor. */
type SuccessorPhase = Exclude<
  keyof PhaseFields,
  | InvoicePhase
  | 'refunding'
  | 'releasing_new'
  | 'releasing_schedule'
  | 'advancing_draft'
  | 'billing_gap'
  | 'restoring_collection'
>
