import Type, { type Static } from 'typebox'
import { params } from '../../core/exact-schema.ts'

const text = (description: string) => Type.String({ description })
const maybe = (description: string) => Type.Union([Type.String(), Type.Null()], { description })
const moment = (description: string) => Type.String({ description: `${description}; UTC` })

const charge = Type.Object(
  {
    at: moment('When it is due'),
    amount: Type.Integer({ description: 'In minor units' }),
    currency: text('Lower-case ISO 4217'),
    account: text('The account that charges'),
    method: maybe('Kind of the payment method; null when an invoice is sent or no method is set'),
    exact: Type.Boolean({
      description: 'Whether Stripe computed it, with tax and balance; otherwise from items and discounts alone',
    }),
  },
  { additionalProperties: false },
)

const finding = Type.Object(
  {
    code: text('Stable code, as in docs/codes.md'),
    list: text('deferred, blocked, violation, card, notice or drift'),
    meaning: text('The sentence of the code'),
    message: text('What was found'),
    fix: text('What to do next'),
    until: Type.Optional(moment('Nothing can be done before this')),
  },
  { additionalProperties: false },
)

const subscription = Type.Object(
  {
    account: text('Name of the account'),
    id: text('Id of the subscription'),
    customer: text('Id of the customer'),
    status: text('Stripe’s status'),
    state: text('What it does now, in words'),
    items: Type.Array(text('Quantity, price and amount')),
    next: Type.Union([moment('Its next invoice'), Type.Null()]),
  },
  { additionalProperties: false },
)

const subscriber = Type.Object(
  {
    subscriber: text('`us/sub_…`'),
    outcome: text('What the plan decides: unchanged, move, blocked …; `undeclared` without an entry'),
    entry: Type.Union(
      [
        Type.Object(
          {
            file: text('File under catalog/'),
            line: Type.Integer({ description: 'Line of the entry' }),
            stage: text('The stage that the YAML wants'),
            excluded: maybe('The reason why the subscriber stays'),
            override: Type.Array(text('A code that a person has confirmed by name')),
          },
          { additionalProperties: false },
        ),
        Type.Null(),
      ],
      { description: 'What the YAML says' },
    ),
    decided_by: Type.Object(
      {
        rule: text('The cell of the decision table'),
        values: Type.Record(Type.String(), Type.String(), { description: 'The values that the rule saw' }),
      },
      { additionalProperties: false },
    ),
    findings: Type.Array(finding),
    next: Type.Array(text('What happens next, in order')),
    charge: Type.Union([charge, Type.Null()], { description: 'The next charge as things are' }),
    charge_after_move: Type.Union([charge, Type.Null()], {
      description: 'The same charge when the plan is applied before it',
    }),
    phase: maybe('Phase of the hand-over in the store'),
  },
  { additionalProperties: false },
)

const request = Type.Object(
  {
    at: moment('When it was sent'),
    account: text('The account'),
    step: text('The step of the plan'),
    method: text('HTTP method'),
    path: text('Path'),
    params: { ...params, description: 'As planned' },
    status: text('started, succeeded, failed, unknown or abandoned'),
    result: maybe('Id of the object in the answer'),
    request_id: maybe('Stripe’s id of the request, for its Dashboard and its support'),
    failure: maybe('What Stripe said'),
    run: text('The run that sent it'),
  },
  { additionalProperties: false },
)

const signal = Type.Object(
  {
    id: text('Id in the inbox'),
    accepted: moment('When it was stored'),
    from: text('Who sent it, and the event'),
    state: text('State in the inbox'),
    reason: text('Why it ended as it did; empty while it waits'),
    means: text('The reason in words'),
    next: text('What to do; empty when nothing is to be done'),
  },
  { additionalProperties: false },
)

const access = Type.Object(
  {
    read: Type.Boolean({ description: 'Whether Kajabi was read' }),
    note: text('Why not, or what was found'),
    contacts: Type.Array(text('Contact in Kajabi')),
    offers: Type.Array(
      Type.Object(
        {
          offer: text('Key in access.yaml'),
          paid_by: Type.Array(text('Subscriber who pays for it')),
          granted: Type.Union([moment('When Crossbill granted it'), Type.Null()]),
          held: Type.Union([Type.Boolean(), Type.Null()], { description: 'Held in Kajabi now; null when unknown' }),
        },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false },
)

/** The document of `explain --format json`: one person, by ids only. */
export const explainSchema = Type.Object(
  {
    at: moment('Stripe’s clock'),
    asked: Type.Array(text('The subscribers that the question named; empty for a customer or an address')),
    customers: Type.Record(Type.String(), Type.Array(Type.String()), { description: 'Customer ids, by account' }),
    subscribers: Type.Array(subscriber),
    subscriptions: Type.Array(subscription, { description: 'Everything in the accounts now' }),
    access,
    signals: Type.Array(signal, { description: 'Every cancel signal, newest first' }),
    requests: Type.Array(request, { description: 'Every request of the journal, oldest first' }),
    store: Type.Array(text('What the store does not know, and what follows')),
  },
  { additionalProperties: false },
)

export type Explained = Static<typeof explainSchema>
export type ExplainedSubscriber = Static<typeof subscriber>
export type ExplainedFinding = Static<typeof finding>
export type ExplainedCharge = Static<typeof charge>
export type ExplainedSubscription = Static<typeof subscription>
export type ExplainedAccess = Static<typeof access>
