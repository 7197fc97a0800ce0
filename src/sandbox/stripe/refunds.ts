// https://docs.stripe.com/api/refunds
import type { Context } from '../kernel/context.ts'
import { invalid } from '../kernel/errors.ts'
import { find, retrieveRoute, type Kind } from '../kernel/kind.ts'
import { listPage, paging } from '../kernel/lists.ts'
import { route, type Module } from '../kernel/module.ts'
import { fields, inRange, int, mergeMetadata, metadata, oneOf, range, text, type Parsed } from '../kernel/params.ts'
import { hasThreeDecimals } from './billing/money.ts'
import { charges, refunds, type ChargeRow, type RefundRow } from './billing/rows.ts'
import { renderCharge, renderRefund } from './charge-view.ts'
import { chargeKind, paymentIntentKind } from './charges.ts'

const refundKind: Kind<RefundRow> = {
  table: refunds,
  noun: 'refund',
  url: '/v1/refunds',
  permission: 'refunds',
  render: (_, row) => renderRefund(row),
}

const createParams = fields({
  amount: int({ min: 1 }),
  charge: text(),
  metadata: metadata(),
  payment_intent: text(),
  reason: oneOf('duplicate', 'fraudulent', 'requested_by_customer'),
})

export const refundModule: Module = {
  routes: [
    route('POST', '/v1/refunds', {
      permission: 'refunds',
      params: createParams,
      handle: (context, given) => renderRefund(refund(context, given)),
    }),
    retrieveRoute(refundKind),
    route('GET', '/v1/refunds', {
      permission: 'refunds',
      params: fields({ ...paging, charge: text(), created: range(), payment_intent: text() }),
      handle: (context, params) =>
        listPage(context, params, {
          table: refunds,
          url: '/v1/refunds',
          ...(params.charge === undefined ? {} : { by: ['charge', params.charge] as const }),
          keep: (row) =>
            inRange(row.created, params.created) &&
            (params.payment_intent === undefined || row.payment_intent === params.payment_intent),
          render: (_, row) => renderRefund(row),
        }),
    }),
    route('POST', '/v1/refunds/:id', {
      permission: 'refunds',
      params: fields({ metadata: metadata() }),
      handle(context, params) {
        const row = find(context, refundKind, context.id('id'))
        return renderRefund(
          context.table(refunds).put({ ...row, metadata: mergeMetadata(row.metadata, params.metadata) }),
        )
      },
    }),
  ],
  objects: {
    re: (context, id) => {
      const row = context.table(refunds).get(id)
      return row === undefined ? undefined : renderRefund(row)
    },
  },
}

/** Refunds all that is left of the charge, or `amount`. The invoice stays `paid`. */
function refund(context: Context, given: Parsed<typeof createParams>): RefundRow {
  const charge = chargeNamed(context, given)
  if (charge.status !== 'succeeded')
    throw invalid(`This PaymentIntent does not have a successful charge to refund.`, { param: 'charge' })
  const left = charge.amount - charge.amount_refunded
  if (left === 0) throw invalid(`Charge ${charge.id} has already been refunded.`, { code: 'charge_already_refunded' })
  const amount = given.amount ?? left
  if (amount > left)
    throw invalid(`Refund amount (${amount}) is greater than unrefunded amount on charge (${left})`, {
      param: 'amount',
    })
  if (given.amount !== undefined && hasThreeDecimals(charge.currency) && amount % 10 !== 0)
    throw invalid(`The last digit of an amount in ${charge.currency} must be 0.`, { param: 'amount' })
  const row = context.table(refunds).put({
    id: context.newId('re'),
    created: context.now,
    customer: charge.customer,
    charge: charge.id,
    payment_intent: charge.payment_intent,
    amount,
    currency: charge.currency,
    reason: given.reason ?? null,
    status: 'succeeded',
    metadata: mergeMetadata({}, given.metadata),
  })
  const after = context.table(charges).put({ ...charge, amount_refunded: charge.amount_refunded + amount })
  context.emit('charge.refunded', () => renderCharge(context, after))
  context.emit('refund.created', () => renderRefund(row))
  return row
}

/** A refund that a credit note makes. */
export function refundCharge(context: Context, given: { readonly charge: string; readonly amount: number }): RefundRow {
  return refund(context, given)
}

function chargeNamed(context: Context, given: Parsed<typeof createParams>): ChargeRow {
  const { charge, payment_intent: intent } = given
  if ((charge === undefined) === (intent === undefined))
    throw invalid('You must specify exactly one of `charge` or `payment_intent`.', { param: 'charge' })
  if (charge !== undefined) return find(context, chargeKind, charge, 'charge')
  const row = find(context, paymentIntentKind, intent ?? '', 'payment_intent')
  if (row.latest_charge === null)
    throw invalid('This PaymentIntent does not have a successful charge to refund.', { param: 'payment_intent' })
  return find(context, chargeKind, row.latest_charge, 'payment_intent')
}
