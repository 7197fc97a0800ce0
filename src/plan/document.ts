import Type, { type TSchema } from 'typebox'
import { guardDefaults } from '../catalog/guards.ts'
import { subscriberAddress } from '../core/address.ts'
import { anyJson, numberOfEach, oneOf, params, schemaOf, tagged, text, texts, whole } from '../core/exact-schema.ts'
import { parserOf, type Parsed } from '../core/parser.ts'
import type { TaxChange } from '../handover/carried/tax-verdicts.ts'
import { plannedExpectationSchema } from '../handover/schemas.ts'
import type { Goal } from '../handover/types.ts'
import type { Ending } from '../kinds/kind.ts'
import { kinds } from '../kinds/registry.ts'
import { byPart, partOfAction } from './change.ts'
import { noticeCodes } from './notice-codes.ts'
import type {
  Change,
  GrantChange,
  HandoverChange,
  NextCharge,
  PatchOperation,
  Plan,
  PriceChange,
  ResourceAction,
  ResourceChange,
  RevokeChange,
  Step,
} from './types.ts'

/*
 * The form of a saved plan. Later versions may add keys.
 */
const byName = <S extends TSchema>(values: S) => Type.Record(text, values)
const sums = byName(Type.Object({ before: whole, after: whole }))

const step = schemaOf<Step>()(
  Type.Object({
    id: text,
    account: text,
    method: oneOf<Step['method']>({ POST: true, DELETE: true }),
    path: text,
    params,
    idempotency_key: text,
    secret_to: Type.Optional(params),
  }),
)

const patchOperation = tagged<PatchOperation>('op', [
  schemaOf<Exclude<PatchOperation, { op: 'remove' }>>()(
    Type.Object({
      op: oneOf<'add' | 'replace'>({ add: true, replace: true }),
      path: text,
      value: anyJson,
      was: Type.Optional(anyJson),
    }),
  ),
  schemaOf<Extract<PatchOperation, { op: 'remove' }>>()(
    Type.Object({ op: Type.Literal('remove'), path: text, was: Type.Optional(anyJson) }),
  ),
])

const described = {
  address: text,
  because: texts,
  patch: Type.Array(patchOperation),
  people: whole,
  steps: Type.Array(step),
}

const endingWords = Object.fromEntries(
  ['use', 'members', 'events', ...kinds.map(({ name }) => name)].map((word) => [word, true]),
) as { readonly [W in Ending['what']]: true }

const endings = Type.Optional(
  Type.Array(
    schemaOf<Ending>()(Type.Object({ what: oneOf(endingWords), message: text, objects: Type.Optional(texts) })),
  ),
)

const change = tagged<Change>('action', [
  schemaOf<ResourceChange>()(
    Type.Object({
      ...described,
      action: oneOf<ResourceAction>({ create: true, update: true, replace: true, retire: true, adopt: true }),
      ends: endings,
      together: Type.Optional(texts),
      expect: Type.Object({ applied: Type.Optional(text), seen: text }),
    }),
  ),
  schemaOf<HandoverChange>()(
    Type.Object({
      ...described,
      action: oneOf<Goal>({ move: true, settle: true, revert: true }),
      expect: plannedExpectationSchema,
    }),
  ),
  schemaOf<GrantChange>()(
    Type.Object({
      ...described,
      action: Type.Literal('grant'),
      expect: Type.Object({ offer: text, subscribers: texts, seen: text }),
    }),
  ),
  schemaOf<RevokeChange>()(
    Type.Object({
      ...described,
      action: Type.Literal('revoke'),
      expect: Type.Object({ offer: text, subscribers: texts, contact: text, seen: text }),
    }),
  ),
])

const charge = schemaOf<NextCharge>()(
  Type.Object({
    subscriber: text,
    at: text,
    amount: whole,
    currency: text,
    before: Type.Object({ at: text, amount: whole, currency: text, account: text }),
    tax_not_included: Type.Optional(Type.Literal(true)),
    paused: Type.Optional(Type.Object({ until: Type.Union([text, Type.Null()]) })),
    price: Type.Optional(text),
  }),
)

const priceChange = schemaOf<PriceChange>()(
  Type.Object({
    address: text,
    on_change: oneOf<PriceChange['on_change']>({ at_renewal: true, new_only: true, refuse: true }),
    applies: Type.Boolean(),
    people: whole,
    mrr: sums,
    subscribers: Type.Array(charge),
  }),
)

const taxRate = Type.Object({ percentage: Type.Number(), inclusive: Type.Boolean() })
const rates = Type.Union([Type.Array(taxRate), Type.Null()])

const taxChange = schemaOf<TaxChange>()(
  Type.Object({
    source: text,
    country: text,
    regions: texts,
    people: whole,
    before: rates,
    after: rates,
    outcome: oneOf<TaxChange['outcome']>({ accepted: true, blocked: true, later: true }),
    monthly: sums,
    why: Type.Optional(text),
  }),
)

const planSchema = schemaOf<Plan>()(
  Type.Object({
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
    summary: numberOfEach<keyof Plan['summary']>({
      ...partOfAction,
      unchanged: true,
      drift: true,
      deferred: true,
      blocked: true,
    }),
    money: Type.Object({
      subscribers: whole,
      mrr: sums,
      by_outcome: Type.Optional(byName(byName(whole))),
      price_changes: Type.Optional(Type.Array(priceChange)),
      next_charges: Type.Array(charge),
      tax: Type.Optional(Type.Array(taxChange)),
    }),
    changes: Type.Array(change),
    drift: Type.Array(Type.Object({ address: text, code: text, message: text, patch: Type.Array(patchOperation) })),
    deferred: Type.Array(Type.Object({ address: text, code: text, until: text, message: Type.Optional(text) })),
    blocked: Type.Array(
      Type.Object({ address: text, position: Type.Optional(text), code: text, message: text, fix: text }),
    ),
    guards: Type.Array(
      Type.Object({
        id: oneOf(guardDefaults),
        limit: Type.Number(),
        actual: Type.Number(),
        tripped: Type.Boolean(),
        message: Type.Optional(text),
        stops: Type.Optional(texts),
      }),
    ),
    removed: Type.Optional(
      Type.Array(Type.Object({ address: text, id: text, people: whole, ends: endings, message: text, fix: text })),
    ),
    doors: Type.Optional(Type.Array(Type.Object({ account: text, check: text, message: text, fix: text }))),
    cards: Type.Optional(Type.Object({ renewals: whole, failing: whole })),
    notices: Type.Optional(
      Type.Array(
        Type.Object({
          code: oneOf(noticeCodes),
          subscriber: text,
          customer: Type.Optional(text),
          at: Type.Union([text, Type.Null()]),
          amount: Type.Optional(whole),
          currency: Type.Optional(text),
          message: text,
          fix: text,
        }),
      ),
    ),
    people: byName(whole),
  }),
)

const parse = parserOf(planSchema)

/**
 * A document as a plan, or why it is not a plan, with the place: `/changes/0/steps/3/path must be
 * string`.
 */
export function parsePlan(document: unknown): Parsed<Plan> {
  const parsed = parse(document)
  if ('problem' in parsed) return parsed
  const { changes } = parsed.value
  const at = changes.findIndex((one) => one.address !== addressOf(one))
  const wrong = changes[at]
  return wrong === undefined
    ? parsed
    : { problem: `/changes/${at}/address must be ${addressOf(wrong)}, which its expectations name` }
}

/** The address that the expectations of a change give it. */
function addressOf(one: Change): string {
  return byPart(one, {
    resource: ({ address }) => address,
    handover: ({ expect }) => subscriberAddress(expect.key),
    access: ({ expect: { subscribers, offer } }) => `access.${subscribers[0] ?? ''}.${offer}`,
  })
}
