import { formatMoney } from '../core/money.ts'
import { idOf } from '../core/reference.ts'
import type Stripe from 'stripe'
import { readHold } from '../live/source.ts'
import type { Live, LiveAccount } from '../live/accounts.ts'
import { isCollected } from '../live/invoice.ts'
import type { Notice } from './types.ts'

/**
 * Open invoices that stay in the old account when their subscription moves, and those that stayed
 * there: no later charge shows them. Invoices that the old account still collects from a moved
 * member are a violation, and those that `carry` takes along do not stay. Pure.
 */
export function openInvoicesLeft(
  live: Pick<Live, 'sources'>,
  { moving, carries }: { readonly moving: ReadonlySet<string>; readonly carries: boolean },
): readonly Notice[] {
  return [...live.sources.values()].flatMap((account) =>
    account.subscriptions.flatMap((one): Notice[] => {
      const key = `${account.name}/${one.id}`
      const isLeaving = moving.has(key)
      if (!isLeaving && readHold(one) === null) return []
      const left = openOf(account, one).filter((invoice) => !isCollected(invoice) || (isLeaving && !carries))
      const [first] = left
      return first === undefined ? [] : [noticeOf(key, idOf(one.customer), account.name, [first, ...left.slice(1)])]
    }),
  )
}

function openOf({ invoices }: LiveAccount, { id }: Stripe.Subscription): readonly Stripe.Invoice[] {
  return (invoices.get(id) ?? []).filter(({ status }) => status === 'open')
}

function noticeOf(
  subscriber: string,
  customer: string,
  account: string,
  left: readonly [Stripe.Invoice, ...Stripe.Invoice[]],
): Notice {
  const amount = left.reduce((sum, one) => sum + one.amount_remaining, 0)
  const { currency } = left[0]
  const ids = left.map(({ id }) => id ?? '').join(', ')
  return {
    code: 'invoices_stay_open',
    subscriber,
    customer,
    at: null,
    amount,
    currency,
    message: `${formatMoney({ amount, currency })} stays open in ${account}: ${ids}`,
    fix: `nothing, if it is collected there; otherwise void it or mark it uncollectible in ${account}`,
  }
}
