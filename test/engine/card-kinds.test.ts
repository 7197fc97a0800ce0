import { expect, test } from 'vitest'
import type Stripe from 'stripe'
import { present } from '../../src/core/assert.ts'
import type { CardContext } from '../../src/engine/cards/context.ts'
import { openCardPage } from '../../src/engine/cards/session.ts'
import { cardState } from '../../src/engine/cards/state.ts'
import type { Context } from '../../src/engine/context.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import { cardsCheck } from '../../src/engine/verify/cards.ts'
import { verify } from '../../src/engine/verify/verify.ts'
import { paymentMethods, type PaymentMethodRow } from '../../src/sandbox/stripe/payment-method-row.ts'
import { members, type Members } from './members.ts'
import { planAndApply } from './rig.ts'

const now = '2026-10-05T12:00:00Z'
const since = '2026-09-20T09:15:00Z'

interface Case {
  /** Makes the member's method what the name says, in the accounts that have it. */
  readonly make: (school: Members) => Promise<string | undefined>
  readonly card?: string
  /** Where it is seen first: as a blocked subscriber, in the notices of the plan or of the move. */
  readonly seen: 'blocked' | 'planned' | 'moved'
  readonly code: string
}

/** Changes the rows of the member's only method in these accounts. */
function changed(
  school: Members,
  accounts: readonly string[],
  change: (row: PaymentMethodRow) => Partial<PaymentMethodRow>,
): undefined {
  for (const name of accounts) {
    const table = school.rig.sandbox.world.account(name).table(paymentMethods)
    const rows = [...table.all()]
    for (const row of rows) table.put({ ...row, ...change(row) })
  }
  return undefined
}

const declining = (code: string, decline_code: string) => (row: PaymentMethodRow) => ({
  temper: { ...row.temper, declines: { code, decline_code, from: null, times: null } },
})

/** The member pays in the old account by a method that Stripe does not copy. */
async function pays(school: Members, params: Stripe.PaymentMethodCreateParams): Promise<string> {
  const { customer } = await school.us.subscriptions.retrieve(school.subscriptions[0] ?? '')
  const made = await school.us.paymentMethods.create(params)
  await school.us.paymentMethods.attach(made.id, { customer: customer as string })
  await school.us.customers.update(customer as string, { invoice_settings: { default_payment_method: made.id } })
  return made.id
}

const person = { billing_details: { name: 'A B', email: 'a@example.com' } }

const cases: Readonly<Record<string, Case>> = {
  'a card that will decline': {
    make: async (school) => changed(school, ['target'], declining('card_declined', 'insufficient_funds')),
    seen: 'moved',
    code: 'setup_failed',
  },
  'a 3D Secure card': {
    make: async (school) =>
      changed(school, ['target'], declining('authentication_required', 'authentication_required')),
    seen: 'moved',
    code: 'setup_failed',
  },
  'a card issued in India': {
    make: async () => undefined,
    card: 'pm_card_in',
    seen: 'planned',
    code: 'mandate_missing',
  },
  'an expired card': {
    make: async (school) =>
      changed(school, ['us', 'target'], ({ card }) => ({
        card: card && { ...card, exp_month: 8, exp_year: 2026 },
      })),
    seen: 'planned',
    code: 'card_expired',
  },
  'no card at all': {
    make: async ({ us, subscriptions }) => {
      const { customer } = await us.subscriptions.retrieve(subscriptions[0] ?? '')
      for (const { id } of (await us.customers.listPaymentMethods(customer as string)).data)
        await us.paymentMethods.detach(id)
      return ''
    },
    seen: 'planned',
    code: 'no_method',
  },
  'a Link wallet': {
    make: async (school) => {
      const method = await pays(school, { type: 'card', card: { token: 'tok_visa' } })
      changed(school, ['us'], (row) =>
        row.id === method ? { type: 'link', card: null, details: { email: 'a@example.com' } } : {},
      )
      return method
    },
    seen: 'blocked',
    code: 'payment_method_not_copyable',
  },
  'a bank debit': {
    make: (school) =>
      pays(school, {
        type: 'acss_debit',
        acss_debit: { account_number: '000123456789', institution_number: '000', transit_number: '11000' },
        ...person,
      }),
    seen: 'blocked',
    code: 'payment_method_not_copyable',
  },
}

/** The context in which the entry names the method that the member pays with; '' for none. */
function declaring(context: Context, method: string | undefined): Context {
  const { catalog } = context
  if (method === undefined) return context
  const subscribers = catalog.subscribers.map((one, index) => {
    const { payment_method: _before, ...rest } = one
    return index > 0 ? one : method === '' ? rest : { ...rest, payment_method: method }
  })
  return { ...context, catalog: { ...catalog, subscribers, digest: `${catalog.digest} ${method}` } }
}

test.each(Object.entries(cases))(
  'every payer arrives: %s is seen before its renewal, and its member enters another on their page',
  async (_, { make, card, seen, code }) => {
    await using school = await members([{ since, ...(card === undefined ? {} : { card }) }], now)
    await planAndApply(school.stage('source'))
    const method = await make(school)
    const context = declaring(school.stage('target'), method)
    const plan = await makePlan(context)
    const found = [...plan.blocked, ...(plan.notices ?? [])].map((one) => one.code)
    expect([found.includes(code), plan.cards]).toEqual([
      seen !== 'moved',
      seen === 'planned' ? { renewals: 1, failing: 1 } : undefined,
    ])
    const move = async (): Promise<string> => {
      const { plan: next, result } = await planAndApply(context)
      return [...next.blocked, ...result.changes].map((one) => ('outcome' in one ? one.outcome : one.code)).join()
    }
    const first = seen === 'moved' ? await move() : 'later'
    // The check says the same, and nobody has been charged in the target.
    expect((await cardsCheck(context)).findings).toHaveLength(1)
    expect((await school.target.charges.list()).data).toEqual([])
    const cards: CardContext = { ...context, clock: () => context.accounts.target.now() }
    const { customer } = await school.us.subscriptions.retrieve(school.subscriptions[0] ?? '')
    const owner = { subscriber: school.keys[0] ?? '', customer: customer as string }
    const opened = await openCardPage(cards, owner, 'https://school.example/back')
    if (!opened.ok || opened.value.state !== 'page') throw new Error(JSON.stringify(opened))
    const form = new URLSearchParams({ number: '5555555555554444', expiry: '12/34', cvc: '123' })
    const saved = await school.rig.sandbox.fetch(opened.value.url, { method: 'POST', body: form.toString() })
    expect(saved.headers.get('location')).toBe('https://school.example/back')
    expect(await cardState(cards, owner)).toEqual({ ok: true, value: { state: 'entered' } })
    expect([first, seen === 'moved' ? 'earlier' : await move()]).toEqual(
      seen === 'moved' ? ['done', 'earlier'] : ['later', 'done'],
    )
    const { violations, notices } = await verify(context)
    expect([violations, notices, (await cardsCheck(context)).findings]).toEqual([[], [], []])
    await school.advance('2026-11-25T00:00:00Z')
    expect((await school.charges())[0]?.slice(1)).toEqual([
      'target 2026-10-20T10:15:00Z 4900 usd',
      'target 2026-11-20T10:15:00Z 4900 usd',
    ])
    const charged = present((await school.target.charges.list({ limit: 1 })).data[0], 'a charge')
    expect(charged.payment_method_details?.card).toMatchObject({ brand: 'mastercard', last4: '4444' })
  },
)
