import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import type { KindName } from '../../src/kinds/kind.ts'
import { kindNamed, kinds } from '../../src/kinds/registry.ts'

/** What stands for a resource: a kind, another place in the YAML, or a reason for neither. */
type Ours = { readonly kind: KindName } | { readonly place: string } | { readonly none: string }

const connect = 'For platforms that act for other accounts (Connect). Crossbill manages accounts of one business.'
const otherProduct = 'Another product of Stripe, without effect on subscriptions.'
const payment = 'A single payment, not a part of a catalog. Stripe makes it for each invoice.'
const ended = 'Superseded by Stripe; new accounts do not use it.'

/**
 * The managed resources of the official provider, `stripe/stripe` 0.3.0 of August 2026, by its
 * `docs/resources`.
 */
const resources: Readonly<Record<string, Ours>> = {
  apple_pay_domain: { none: `${ended} \`payment_method_domains:\` covers Apple Pay and the other wallets.` },
  billing_alert: { none: 'It only sends an event when usage passes a limit; nothing that is billed depends on it.' },
  billing_credit_grant: { none: 'Credit of one customer. It changes with each invoice, so a file cannot declare it.' },
  billing_meter: { kind: 'meter' },
  billing_portal_configuration: { kind: 'portal_configuration' },
  charge: { none: payment },
  climate_order: { none: otherProduct },
  coupon: { kind: 'coupon' },
  credit_note: { none: 'A correction of one invoice, made once and never changed.' },
  customer: {
    place: 'Subscribers name their customers. Stripe copies customers between accounts; Crossbill never creates them.',
  },
  customer_balance_transaction: { place: 'The policy `customer_balance` carries a balance with its subscriber.' },
  entitlements_feature: { kind: 'feature' },
  file: { none: 'Uploads (logos, evidence) belong to the Dashboard; no catalog object needs them.' },
  file_link: { none: 'Links to uploads belong to the Dashboard; no catalog object needs them.' },
  invoice: { none: 'Stripe makes the invoices of a subscription. Declaring one would bill outside its cycle.' },
  invoice_item: { place: 'The policy `pending_invoice_items` carries waiting items with their subscriber.' },
  issuing_card: { none: otherProduct },
  issuing_cardholder: { none: otherProduct },
  issuing_dispute: { none: otherProduct },
  issuing_personalization_design: { none: otherProduct },
  payment_intent: { none: payment },
  payment_link: { kind: 'payment_link' },
  payment_method: {
    place: 'Subscribers name their payment methods, which Stripe copies. Card data never passes through Crossbill.',
  },
  payment_method_configuration: { kind: 'payment_method_configuration' },
  payment_method_domain: { kind: 'payment_method_domain' },
  person: { none: connect },
  plan: { none: `${ended} A price does the same; \`pull\` writes the plans of old accounts as prices.` },
  price: { kind: 'price' },
  product: { kind: 'product' },
  product_feature: { place: '`features:` of a product attaches and detaches them.' },
  promotion_code: { kind: 'promotion_code' },
  quote: { none: 'An offer to one customer that ends when it is accepted.' },
  radar_value_list: { none: 'Fraud rules change daily in the Dashboard; a plan would revert that work.' },
  radar_value_list_item: { none: 'Fraud rules change daily in the Dashboard; a plan would revert that work.' },
  setup_intent: { none: payment },
  shipping_rate: { kind: 'shipping_rate' },
  source: { none: `${ended} \`pull\` reads the sources of old accounts.` },
  subscription: {
    place: '`subscribers/<source>/*.yaml`, moved between accounts by stages. Removing an entry never cancels.',
  },
  subscription_item: { place: '`items:` of a subscriber.' },
  subscription_schedule: { place: 'The policy `schedules` carries a schedule with its subscriber.' },
  tax_id: { place: 'Carried with the customer of a subscriber.' },
  tax_rate: { kind: 'tax_rate' },
  tax_registration: { kind: 'tax_registration' },
  terminal_configuration: { none: otherProduct },
  terminal_location: { none: otherProduct },
  terminal_reader: { none: otherProduct },
  treasury_financial_account: { none: otherProduct },
  v2_core_event_destination: { kind: 'event_destination' },
  webhook_endpoint: { kind: 'webhook_endpoint' },
}

function row(name: string, ours: Ours): string {
  const kind = 'kind' in ours ? kindNamed(ours.kind) : undefined
  if (kind !== undefined) return `| \`stripe_${name}\` | [\`${kind.section}:\`](${kind.docs}) | |`
  return 'place' in ours
    ? `| \`stripe_${name}\` | ${ours.place} | |`
    : `| \`stripe_${name}\` | | ${'none' in ours ? ours.none : ''} |`
}

const theirs = new Set(Object.values(resources).flatMap((ours) => ('kind' in ours ? [ours.kind] : [])))
const oursAlone = kinds.filter(({ name }) => !theirs.has(name)).map(({ section }) => `\`${section}:\``)
const names = Object.keys(resources)

const text = `# Beside the official Terraform provider

Each managed resource of \`stripe/stripe\` 0.3.0 (August 2026, ${names.length} resources), with the place of the same object in a catalog of Crossbill, or the reason why it has none.
This page is generated; a test checks that no kind is missing.

| resource of the provider | in the catalog | why not |
|---|---|---|
${names.map((name) => row(name, resources[name] ?? { none: '' })).join('\n')}

Only in Crossbill: ${oursAlone.join(', ')}, the default price of a product, the id of a coupon, disabled webhook endpoints, references by lookup key, subscribers, Kajabi access and everything about a move between accounts.
`

const page = fileURLToPath(new URL('../../docs/terraform-provider.md', import.meta.url))

it('docs/terraform-provider.md has every resource of the provider, and a reason in each empty row (CROSSBILL_UPDATE_DOCS=1 writes it)', () => {
  if (process.env['CROSSBILL_UPDATE_DOCS'] === '1') writeFileSync(page, text)
  expect(readFileSync(page, 'utf8')).toBe(text)
  expect(names).toHaveLength(49)
  expect(names).toEqual(names.toSorted((a, b) => (a < b ? -1 : 1)))
  const rows = text.split('\n').filter((line) => line.startsWith('| `stripe_'))
  expect(
    rows.filter((line) => line.split(' | ').every((cell, at) => at === 0 || cell.replace(/\|/g, '').trim() === '')),
  ).toEqual([])
})
