import { expect, test } from 'vitest'
import { instant } from '../../src/core/instant.ts'
import type { StripeObject } from '../../src/core/json.ts'
import type { StripeAccount } from '../../src/engine/ports.ts'
import { findExternalBilling } from '../../src/engine/read/external-billers.ts'

function accountWith(lists: Readonly<Record<string, readonly StripeObject[]>>): StripeAccount {
  return {
    name: 'us',
    id: 'acct_1',
    livemode: false,
    apiVersion: '2026-10-28.endive',
    now: () => instant(1_000_000),
    present: () => Promise.resolve(instant(1_000_000)),
    retrieve: () => Promise.reject(new Error('not expected')),
    look: () => Promise.reject(new Error('not expected')),
    send: () => Promise.reject(new Error('not expected')),
    async *list(path) {
      yield* lists[path] ?? []
    },
  }
}

const charge = (id: string, intent: string | null): StripeObject => ({
  object: 'charge',
  id,
  status: 'succeeded',
  customer: 'cus_1',
  amount: 4_900,
  currency: 'usd',
  created: 900_000,
  payment_intent: intent,
})
const payment = (paid: Readonly<Record<string, string>>): StripeObject => ({
  object: 'invoice_payment',
  id: 'inpay_1',
  payment: { type: 'payment_intent', ...paid },
})

test.each([
  ['charges without a payment intent, beside an invoice paid by other means', [null, null], {}, 1],
  ['charges with payment intents, beside an invoice paid by other means', ['pi_1', 'pi_2'], {}, 1],
  ['charges of which an invoice explains one', ['pi_1', 'pi_2'], { payment_intent: 'pi_1' }, 0],
  ['charges of which an invoice explains one by the charge', [null, null], { charge: 'ch_0' }, 0],
] as const)('promise 3: %s: %j', async (_, intents, paid, found) => {
  const charges = intents.map((intent, at) => charge(`ch_${at}`, intent))
  const account = accountWith({ '/v1/charges': charges, '/v1/invoice_payments': [payment(paid)] })
  expect(await findExternalBilling(account)).toHaveLength(found)
})
