import { Ajv2020 } from 'ajv/dist/2020.js'
import Type, { type TSchema } from 'typebox'

/*
 * The parts of a saved plan that are read again. Later versions may add keys.
 */
const text = Type.String()
const whole = Type.Integer()
const object = Type.Object({})
const list = (items: TSchema): TSchema => Type.Array(items)
const byName = (values: TSchema): TSchema => Type.Record(text, values)
const sums = byName(Type.Object({ before: whole, after: whole }))

const step = Type.Object({
  id: text,
  account: text,
  method: Type.Union([Type.Literal('POST'), Type.Literal('DELETE')]),
  path: text,
  params: object,
  idempotency_key: text,
  secret_to: Type.Optional(object),
})

const change = Type.Object({
  address: text,
  action: text,
  because: list(text),
  patch: list(Type.Object({ op: text, path: text })),
  people: whole,
  steps: list(step),
  expect: Type.Optional(object),
})

const charge = Type.Object({
  subscriber: text,
  at: text,
  amount: whole,
  currency: text,
  before: Type.Object({ at: text, amount: whole, currency: text, account: text }),
})

const taxRate = Type.Object({ percentage: Type.Number(), inclusive: Type.Boolean() })
const rates = Type.Union([list(taxRate), Type.Null()])

const money = Type.Object({
  subscribers: whole,
  mrr: sums,
  by_outcome: Type.Optional(byName(byName(whole))),
  next_charges: list(charge),
  price_changes: Type.Optional(
    list(
      Type.Object({
        address: text,
        on_change: text,
        applies: Type.Boolean(),
        people: whole,
        mrr: sums,
        subscribers: list(charge),
      }),
    ),
  ),
  tax: Type.Optional(
    list(
      Type.Object({
        source: text,
        country: text,
        regions: list(text),
        people: whole,
        before: rates,
        after: rates,
        outcome: text,
        monthly: sums,
        why: Type.Optional(text),
      }),
    ),
  ),
})

const coded = { address: text, code: text }

const planSchema: TSchema = Type.Object({
  format: Type.Literal(1),
  tool: text,
  plan: text,
  created: text,
  expires: text,
  basis: Type.Object({
    catalog: text,
    live: text,
    state: Type.Object({ lineage: text, serial: whole }),
    api_version: text,
    accounts: byName(Type.Object({ id: text, livemode: Type.Boolean() })),
  }),
  summary: byName(whole),
  money,
  changes: list(change),
  drift: list(Type.Object({ ...coded, message: text, patch: list(object) })),
  deferred: list(Type.Object({ ...coded, until: text, message: Type.Optional(text) })),
  blocked: list(Type.Object({ ...coded, message: text, fix: text })),
  guards: list(
    Type.Object({
      id: text,
      limit: Type.Number(),
      actual: Type.Number(),
      tripped: Type.Boolean(),
      message: Type.Optional(text),
    }),
  ),
  removed: Type.Optional(list(Type.Object({ address: text, id: text, people: whole, message: text, fix: text }))),
  doors: Type.Optional(list(Type.Object({ account: text, check: text, message: text, fix: text }))),
  notices: Type.Optional(
    list(
      Type.Object({
        code: text,
        subscriber: text,
        at: Type.Union([text, Type.Null()]),
        amount: Type.Optional(whole),
        currency: Type.Optional(text),
        message: text,
        fix: text,
      }),
    ),
  ),
  people: byName(whole),
})

let check: ReturnType<Ajv2020['compile']> | undefined

/**
 * Why a document is not a plan, with the place: `/changes/0/steps/3/path must be string`. Undefined
 * for a valid plan.
 */
export function planProblem(document: unknown): string | undefined {
  check ??= new Ajv2020({ strict: true, allowUnionTypes: true }).compile(planSchema)
  if (check(document)) return undefined
  const [first] = check.errors ?? []
  return first === undefined
    ? 'it does not have the form of a plan'
    : `${first.instancePath || '/'} ${first.message ?? 'has a wrong form'}`
}
