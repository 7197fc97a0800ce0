// Charges and payment intents, and the ledger of every attempted charge.
import { formatInstant, instant, parseInstant, type Instant } from '../../core/instant.ts'
import { ControlRefusal } from '../kernel/control.ts'
import { find, retrieveRoute, type Kind } from '../kernel/kind.ts'
import { listPage, paging } from '../kernel/lists.ts'
import { route, type ControlInput, type Module } from '../kernel/module.ts'
import { fields, inRange, mergeMetadata, metadata, range, text } from '../kernel/params.ts'
import type { World } from '../kernel/world.ts'
import { ofCustomer } from './customer-row.ts'
import { charges, paymentIntents, type ChargeRow, type PaymentIntentRow } from './billing/rows.ts'
import { settleOnTime } from './billing/collecting.ts'
import { renderCharge, renderPaymentIntent } from './charge-view.ts'

export const chargeKind: Kind<ChargeRow> = {
  table: charges,
  noun: 'charge',
  url: '/v1/charges',
  permission: 'charges',
  render: renderCharge,
}

export const paymentIntentKind: Kind<PaymentIntentRow> = {
  table: paymentIntents,
  noun: 'payment_intent',
  url: '/v1/payment_intents',
  permission: 'payment_intents',
  render: renderPaymentIntent,
}

export const chargeModule: Module = {
  routes: [
    retrieveRoute(chargeKind),
    route('GET', '/v1/charges', {
      permission: 'charges',
      params: fields({ ...paging, created: range(), customer: text(), payment_intent: text() }),
      handle: (context, params) =>
        listPage(context, params, {
          table: charges,
          url: '/v1/charges',
          ...ofCustomer(context, params.customer),
          keep: (row) =>
            inRange(row.created, params.created) &&
            (params.payment_intent === undefined || row.payment_intent === params.payment_intent),
          render: renderCharge,
        }),
    }),
    route('POST', '/v1/charges/:id', {
      permission: 'charges',
      params: fields({ metadata: metadata(), description: text() }),
      handle(context, params) {
        const row = find(context, chargeKind, context.id('id'))
        const changed = context.table(charges).put({
          ...row,
          metadata: mergeMetadata(row.metadata, params.metadata),
          description: params.description ?? row.description,
        })
        return renderCharge(context, changed)
      },
    }),
    retrieveRoute(paymentIntentKind),
    route('GET', '/v1/payment_intents', {
      permission: 'payment_intents',
      params: fields({ ...paging, created: range(), customer: text() }),
      handle: (context, params) =>
        listPage(context, params, {
          table: paymentIntents,
          url: '/v1/payment_intents',
          ...ofCustomer(context, params.customer),
          keep: (row) => inRange(row.created, params.created),
          render: renderPaymentIntent,
        }),
    }),
  ],
  objects: {
    ch: (context, id) => shown(context.table(charges).get(id), (row) => renderCharge(context, row)),
    py: (context, id) => shown(context.table(charges).get(id), (row) => renderCharge(context, row)),
    pi: (context, id) => shown(context.table(paymentIntents).get(id), (row) => renderPaymentIntent(context, row)),
  },
  includable: { charge: ['refunds'] },
  due: { 'payment.settle': { rank: 110, run: settleOnTime } },
  control: { 'GET charges': ledger },
}

function shown<R>(row: R | undefined, render: (row: R) => object): object | undefined {
  return row === undefined ? undefined : render(row)
}

/** One attempted charge, as `GET /_sandbox/charges` lists it: minor units, ISO instant. */
export interface LedgerEntry {
  readonly account: string
  readonly customer: string
  readonly subscription: string | null
  readonly invoice: string | null
  readonly at: string
  readonly amount: number
  readonly currency: string
  readonly status: 'succeeded' | 'failed' | 'pending'
}

/**
 * Every attempted charge of the world, oldest first; `since` (ISO, included) and `account` narrow
 * it.
 */
export function chargesOf(world: World, narrowed: { since?: Instant; account?: string } = {}): LedgerEntry[] {
  const entries: { at: number; entry: LedgerEntry }[] = []
  for (const [name, account] of world.accounts) {
    if (narrowed.account !== undefined && narrowed.account !== name) continue
    for (const row of account.table(charges).all()) {
      if (narrowed.since !== undefined && row.created < narrowed.since) continue
      const { customer, subscription, invoice, amount, currency, status } = row
      const at = formatInstant(instant(row.created))
      entries.push({
        at: row.created,
        entry: { account: name, customer, subscription, invoice, at, amount, currency, status },
      })
    }
  }
  return entries.toSorted((a, b) => a.at - b.at).map(({ entry }) => entry)
}

function ledger(world: World, input: ControlInput): LedgerEntry[] {
  const { since, account } = input
  const from = typeof since === 'string' ? parseInstant(since) : undefined
  if (since !== undefined && from === undefined)
    throw new ControlRefusal('"since" must be an instant such as 2027-01-31T12:00:00Z')
  if (account !== undefined && (typeof account !== 'string' || !world.accounts.has(account)))
    throw new ControlRefusal('"account" must be the name of an account of this sandbox')
  return chargesOf(world, {
    ...(from === undefined ? {} : { since: from }),
    ...(typeof account === 'string' ? { account } : {}),
  })
}
