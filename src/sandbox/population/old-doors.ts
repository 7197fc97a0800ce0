// The open doors of the old accounts: the portal, links that sell, a checkout session that a
// visitor still has open, and an endpoint that receives ended subscriptions and revokes access in
// Kajabi after a delay.
import { present } from '../../core/assert.ts'
import { instant, secondsPerDay } from '../../core/instant.ts'
import { revoke } from '../kajabi/access.ts'
import { siteOf } from '../kajabi/module.ts'
import type { Context } from '../kernel/context.ts'
import type { Row, TableDefinition } from '../kernel/tables.ts'
import { customers } from '../stripe/customer-row.ts'
import { paymentLinks } from '../stripe/payment-links.ts'
import { noBillingDetails } from '../stripe/payment-method-row.ts'
import { calm } from '../stripe/test-cards.ts'
import { endpoints } from '../stripe/webhook-endpoints.ts'
import { chanceOf, spread } from './chance.ts'
import { type School, addressIn } from './enrolling.ts'
import { accessTitle } from './kajabi.ts'
import { Maker, idOf } from './maker.ts'
import { type Currency, type OldAccount, type ProductKey, currenciesOf, products } from './offerings.ts'
import { newCard } from './wallets.ts'

/** A later sale through a forgotten link. */
interface LateSignupRow extends Row {
  readonly link: string
  readonly price: string
}

const lateSignups: TableDefinition<LateSignupRow> = { name: 'late_signups' }

/** No server listens at this address; connections are refused at once. */
const integrationUrl = 'https://127.0.0.1:9/old-integration'

/** Seconds between the event and the revocation by the old integration. */
const delays = [45, 600, 5_400, secondsPerDay, 2 * secondsPerDay + 1_200]

export function openDoors(school: School, about: { account: OldAccount; signups: number }): void {
  const { maker } = school
  const plan = present(
    school.plans.find((candidate) => candidate.account === about.account),
    `a member of ${about.account}`,
  )
  const shop = school.shop(plan)
  maker.post(shop.account, '/v1/billing_portal/configurations', {
    business_profile: { headline: 'The school' },
    features: {
      customer_update: { enabled: true, allowed_updates: ['email', 'address'] },
      invoice_history: { enabled: true },
      payment_method_update: { enabled: true },
      subscription_cancel: { enabled: true, mode: 'at_period_end' },
    },
    default_return_url: 'https://school.example/account',
    login_page: { enabled: true },
  })
  maker.post(shop.account, '/v1/webhook_endpoints', {
    url: integrationUrl,
    enabled_events: ['customer.subscription.deleted'],
    description: 'SamCart: revoke access',
  })
  const currency: Currency = present(currenciesOf[about.account][0], 'a currency')
  const prices = (['membership', 'library'] as const).map((product) => shop.price(product, 'month', currency))
  const links = prices.map((price) =>
    idOf(maker.post(shop.account, '/v1/payment_links', { line_items: [{ price, quantity: 1 }] })),
  )
  maker.post(shop.account, '/v1/checkout/sessions', {
    mode: 'subscription',
    line_items: [{ price: prices[0] ?? '', quantity: 1 }],
    success_url: 'https://school.example/welcome',
  })
  for (let n = 0; n < about.signups; n++)
    planSignup(school, maker.context(shop.account), { n, link: links[n % 2] ?? '', price: prices[n % 2] ?? '' })
}

function planSignup(school: School, context: Context, about: { n: number; link: string; price: string }): void {
  const { n, link, price } = about
  const chance = chanceOf(school.seed, `link/${context.account.name}/${n}`)
  const id = `late_${context.account.name}_${n}`
  context.table(lateSignups).put({ id, created: context.now, link, price })
  const at = context.now + chance.whole(2, 60) * secondsPerDay + chance.whole(0, secondsPerDay - 1)
  context.schedule(instant(at), 'school.late_signup', id)
}

/** A visitor buys through the old link, if it is still open. */
export function signUpLate(context: Context, id: string): void {
  const row = context.table(lateSignups).get(id)
  if (row === undefined || context.table(paymentLinks).get(row.link)?.active !== true) return
  const { account, world } = context
  const maker = new Maker(world)
  const customer = idOf(
    maker.post(account, '/v1/customers', { name: 'Late Comer', email: `${id}@example.com`, address: addressIn('US') }),
  )
  const method = newCard(context, {
    customer,
    form: 'payment_method',
    billing_details: noBillingDetails,
    temper: calm,
    chance: chanceOf(world.seed, `late/${id}`),
    clock: context.now,
  })
  // A price that was archived meanwhile cannot be sold.
  maker.try(account, '/v1/subscriptions', {
    customer,
    items: [{ price: row.price }],
    default_payment_method: method.id,
    metadata: { payment_link: row.link },
  })
}

/** The old integration receives ended subscriptions as long as its endpoint is enabled. */
export function hearOfEnd(context: Context, object: () => object): void {
  if (context.table(endpoints).size === 0) return
  const listens = [...context.table(endpoints).all()].some(
    (row) => row.url === integrationUrl && row.status === 'enabled',
  )
  if (!listens) return
  const { id, customer } = object() as { id?: unknown; customer?: unknown }
  if (typeof id !== 'string' || typeof customer !== 'string') return
  const delay = present(delays[spread(id, delays.length)], 'a delay')
  context.schedule(instant(context.now + delay), 'school.old_revoke', customer)
}

export function revokeOld(context: Context, customer: string): void {
  const site = siteOf(context.world)
  const contact = site.contactOf(context.table(customers).get(customer)?.email ?? '')
  if (contact === undefined) return
  const titles = new Set((Object.keys(products) as ProductKey[]).map(accessTitle))
  for (const grant of site.grantsOf(contact.id))
    if (titles.has(site.offers.get(grant.offer)?.title ?? '')) revoke(site, contact.id, grant.offer, 'Revoked')
}
