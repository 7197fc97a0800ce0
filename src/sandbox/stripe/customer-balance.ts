// https://docs.stripe.com/billing/customer/balance
import type Stripe from 'stripe'
import type { Context } from '../kernel/context.ts'
import { missing } from '../kernel/errors.ts'
import { listPage, paging } from '../kernel/lists.ts'
import { route, type Module } from '../kernel/module.ts'
import {
  currency,
  emptyable,
  fields,
  inRange,
  int,
  mergeMetadata,
  metadata,
  range,
  required,
  text,
  type Metadata,
} from '../kernel/params.ts'
import type { Row, TableDefinition } from '../kernel/tables.ts'
import type { Wire } from '../kernel/wire.ts'
import { changeCustomer, customer, type CustomerRow } from './customer-row.ts'

interface BalanceTransactionRow extends Row {
  /** Minor units; negative gives the customer credit. */
  readonly amount: number
  readonly currency: string
  readonly customer: string
  readonly description: string | null
  readonly ending_balance: number
  readonly invoice: string | null
  readonly credit_note: string | null
  readonly metadata: Metadata
  readonly type:
    | 'adjustment'
    | 'applied_to_invoice'
    | 'credit_note'
    | 'initial'
    | 'invoice_too_small'
    | 'unapplied_from_invoice'
}

const transactions: TableDefinition<BalanceTransactionRow> = {
  name: 'customer_balance_transactions',
  indexes: { customer: (row) => row.customer },
}

/**
 * Changes a customer's balance and writes the transaction that explains the change. Returns the
 * changed customer.
 */
export function adjustBalance(
  context: Context,
  row: CustomerRow,
  by: {
    readonly amount: number
    readonly currency: string
    readonly type: BalanceTransactionRow['type']
    readonly invoice?: string
    readonly credit_note?: string
    readonly description?: string
    readonly metadata?: Metadata
  },
): { customer: CustomerRow; transaction: string } {
  const ending_balance = (row.balances[by.currency] ?? 0) + by.amount
  const transaction = context.table(transactions).put({
    id: context.newId('cbtxn'),
    created: context.now,
    amount: by.amount,
    currency: by.currency,
    customer: row.id,
    description: by.description ?? null,
    ending_balance,
    invoice: by.invoice ?? null,
    credit_note: by.credit_note ?? null,
    metadata: by.metadata ?? {},
    type: by.type,
  })
  const changed = changeCustomer(context, row, {
    balances: { ...row.balances, [by.currency]: ending_balance },
    currency: row.currency ?? by.currency,
  })
  return { customer: changed, transaction: transaction.id }
}

const url = '/v1/customers/:customer/balance_transactions'

export const customerBalanceModule: Module = {
  routes: [
    route('GET', url, {
      permission: 'customers',
      params: fields({ ...paging, created: range(), invoice: text() }),
      handle(context, params) {
        const { id } = customer(context, context.id('customer'))
        return listPage(context, params, {
          table: transactions,
          url: `/v1/customers/${id}/balance_transactions`,
          by: ['customer', id],
          keep: (row) =>
            inRange(row.created, params.created) && (params.invoice === undefined || row.invoice === params.invoice),
          render,
        })
      },
    }),
    route('POST', url, {
      permission: 'customers',
      params: fields({
        amount: required(int()),
        currency: required(currency),
        description: text({ max: 350 }),
        metadata: metadata(),
      }),
      handle(context, params) {
        const { metadata: given, ...about } = params
        const made = adjustBalance(context, customer(context, context.id('customer')), {
          ...about,
          type: 'adjustment',
          metadata: mergeMetadata({}, given),
        })
        return render(context, transaction(context, made.transaction))
      },
    }),
    route('GET', `${url}/:id`, {
      permission: 'customers',
      params: fields({}),
      handle: (context) => render(context, transaction(context, context.id('id'))),
    }),
    route('POST', `${url}/:id`, {
      permission: 'customers',
      params: fields({ description: emptyable(text({ max: 350 })), metadata: metadata() }),
      handle(context, params) {
        const row = transaction(context, context.id('id'))
        const changed = context.table(transactions).put({
          ...row,
          description: params.description === undefined ? row.description : params.description,
          metadata: mergeMetadata(row.metadata, params.metadata),
        })
        return render(context, changed)
      },
    }),
  ],
  objects: {
    cbtxn: (context, id) => {
      const row = context.table(transactions).get(id)
      return row === undefined ? undefined : render(context, row)
    },
  },
}

function transaction(context: Context, id: string): BalanceTransactionRow {
  const row = context.table(transactions).get(id)
  const owner = context.path['customer']
  if (row === undefined || (owner !== undefined && row.customer !== owner))
    throw missing('customer balance transaction', id)
  return row
}

function render(context: Context, row: BalanceTransactionRow): Wire<Stripe.CustomerBalanceTransaction> {
  return {
    id: row.id,
    object: 'customer_balance_transaction',
    amount: row.amount,
    checkout_session: null,
    created: row.created,
    credit_note: row.credit_note,
    currency: row.currency,
    customer: row.customer,
    customer_account: null,
    description: row.description,
    ending_balance: row.ending_balance,
    invoice: row.invoice,
    livemode: context.livemode,
    metadata: row.metadata,
    type: row.type,
  }
}
