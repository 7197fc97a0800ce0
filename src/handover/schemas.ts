import Type, { type TSchema } from 'typebox'
import { oneOf, schemaOf } from '../core/exact-schema.ts'
import type { JsonObject } from '../core/json.ts'
import type {
  ChargeForecast,
  Expectation,
  ExpectedDiscount,
  Goal,
  HandoverPlan,
  PlannedStep,
  ProofExpectation,
  Reference,
} from './types.ts'

/*
 * The form of what the hand-over writes to plan files and to the store, and reads again. Later
 * versions may add keys.
 */
const text = Type.String()
const whole = Type.Integer()
const orNull = <S extends TSchema>(schema: S) => Type.Union([schema, Type.Null()])
const texts = Type.Array(text)
/** Values of a request, which Stripe checks. */
export const params = Type.Unsafe<JsonObject>({ type: 'object' })
const subscriberKey = Type.Unsafe<Expectation['key']>({ type: 'string', pattern: '^[^/]+/.+$' })
const instant = Type.Unsafe<ChargeForecast['at']>({ type: 'integer' })

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

const expected = {
  goal,
  project: text,
  key: subscriberKey,
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
  successor: orNull(text),
  successor_fingerprint: orNull(text),
  balance: orNull(whole),
  override: texts,
  carry: texts,
  money: texts,
  money_after: Type.Array(subscriberKey),
  tax: oneOf<Expectation['tax']>({ same: true, recompute: true }),
  tax_change: orNull(Type.Object({ before: text, after: text })),
  proof: orNull(proof),
  gap: oneOf<Expectation['gap']>({ invoice: true, leave: true }),
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
    at: instant,
    amount: whole,
    currency: text,
    before: Type.Object({ at: instant, amount: whole, currency: text, account: text }),
    tax_not_included: Type.Optional(Type.Literal(true)),
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
  }),
)
