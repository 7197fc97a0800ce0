// https://docs.stripe.com/api/credit_notes
import type Stripe from 'stripe'
import type { Context } from '../kernel/context.ts'
import { invalid } from '../kernel/errors.ts'
import { find, retrieveRoute, type Kind } from '../kernel/kind.ts'
import { listOf, listPage, paging } from '../kernel/lists.ts'
import { route, type Module } from '../kernel/module.ts'
import {
  fields,
  inRange,
  int,
  mergeMetadata,
  metadata,
  oneOf,
  range,
  required,
  text,
  time,
  type Metadata,
  type Parsed,
} from '../kernel/params.ts'
import type { Row, TableDefinition } from '../kernel/tables.ts'
import type { Wire } from '../kernel/wire.ts'
import { creditInvoice, remainingOf } from './billing/crediting.ts'
import { charges, invoices, paymentIntents, type InvoiceRow } from './billing/rows.ts'
import { adjustBalance } from './customer-balance.ts'
import { customer } from './customer-row.ts'
import { refundCharge } from './refunds.ts'

interface CreditNoteRow extends Row {
  readonly customer: string
  readonly invoice: string
  readonly currency: string
  readonly amount: number
  /** By how much it lowered what the open invoice asked for. */
  readonly before: number
  /** What had been paid: credited to the balance, refunded, or given back outside of Stripe. */
  readonly credit: number
  readonly refunded: number
  readonly refund: string | null
  readonly outside: number
  readonly balance_transaction: string | null
  readonly effective_at: number
  readonly memo: string | null
  readonly metadata: Metadata
  readonly number: string
  readonly reason: 'duplicate' | 'fraudulent' | 'order_change' | 'product_unsatisfactory' | null
  readonly voided_at: number | null
}

const creditNotes: TableDefinition<CreditNoteRow> = {
  name: 'credit_notes',
  indexes: { customer: (row) => row.customer, invoice: (row) => row.invoice },
}
const permission = 'credit_notes'
const kind: Kind<CreditNoteRow> = {
  table: creditNotes,
  noun: 'credit note',
  url: '/v1/credit_notes',
  permission,
  render,
}

const some = int({ min: 0 })
// Lines and shipping are left out: the whole amount is one credit.
const createParams = fields({
  amount: required(int({ min: 1 })),
  credit_amount: some,
  effective_at: time(),
  email_type: oneOf('credit_note', 'none'),
  invoice: required(text()),
  memo: text(),
  metadata: metadata(),
  out_of_band_amount: some,
  reason: oneOf('duplicate', 'fraudulent', 'order_change', 'product_unsatisfactory'),
  refund_amount: some,
})

export const creditNoteModule: Module = {
  routes: [
    route('POST', kind.url, {
      permission,
      params: createParams,
      handle: (context, given) => render(context, issue(context, given)),
    }),
    retrieveRoute(kind),
    route('GET', kind.url, {
      permission,
      params: fields({ ...paging, created: range(), customer: text(), invoice: text() }),
      handle: (context, params) =>
        listPage(context, params, {
          table: creditNotes,
          url: kind.url,
          ...(params.invoice === undefined ? {} : { by: ['invoice', params.invoice] as const }),
          keep: (row) =>
            inRange(row.created, params.created) && (params.customer === undefined || row.customer === params.customer),
          render,
        }),
    }),
    route('POST', `${kind.url}/:id`, {
      permission,
      params: fields({ memo: text(), metadata: metadata() }),
      handle(context, params) {
        const row = find(context, kind, context.id('id'))
        const changed = { memo: params.memo ?? row.memo, metadata: mergeMetadata(row.metadata, params.metadata) }
        return told(context, 'credit_note.updated', { ...row, ...changed })
      },
    }),
    route('POST', `${kind.url}/:id/void`, {
      permission,
      params: fields({}),
      handle: (context) => takeBack(context, find(context, kind, context.id('id'))),
    }),
  ],
  objects: {
    cn: (context, id) => {
      const row = context.table(creditNotes).get(id)
      return row === undefined ? undefined : render(context, row)
    },
  },
}

function issue(context: Context, given: Parsed<typeof createParams>): CreditNoteRow {
  const { amount, credit_amount: credit = 0, refund_amount: refunded = 0, out_of_band_amount: outside = 0 } = given
  const invoice = find(context, { table: invoices, noun: 'invoice' }, given.invoice, 'invoice')
  if (invoice.status !== 'open' && invoice.status !== 'paid')
    throw invalid(`You can only issue a credit note for an invoice that is open or paid, not ${invoice.status}.`, {
      param: 'invoice',
    })
  const left = creditable(context, invoice)
  if (amount > left)
    throw invalid(
      `The credit note amount (${amount}) is greater than the creditable amount of the invoice (${left}).`,
      {
        param: 'amount',
      },
    )
  const before = Math.min(amount, remainingOf(invoice))
  if (credit + refunded + outside !== amount - before)
    throw invalid(
      `The sum of credit amount, refund amount and out of band amount (${credit + refunded + outside}) must equal the post-payment amount of the credit note (${amount - before}).`,
    )
  const charge = refunded === 0 ? null : chargeOf(context, invoice)
  const refund = charge === null ? null : refundCharge(context, { charge, amount: refunded }).id
  const id = context.newId('cn')
  const balance_transaction = credit === 0 ? null : giveCredit(context, invoice, { credit_note: id, amount: -credit })
  creditInvoice(context, invoice.id, { before, after: amount - before })
  const row = context.table(creditNotes).put({
    id,
    created: context.now,
    customer: invoice.customer,
    invoice: invoice.id,
    currency: invoice.currency,
    amount,
    before,
    credit,
    refunded,
    refund,
    outside,
    balance_transaction,
    effective_at: given.effective_at ?? context.now,
    memo: given.memo ?? null,
    metadata: mergeMetadata({}, given.metadata),
    number: `${invoice.number ?? invoice.id}-CN-${String(issuedFor(context, invoice.id).length + 1).padStart(2, '0')}`,
    reason: given.reason ?? null,
    voided_at: null,
  })
  context.emit('credit_note.created', () => render(context, row))
  return row
}

function issuedFor(context: Context, invoice: string): readonly CreditNoteRow[] {
  return context.table(creditNotes).by('invoice', invoice)
}

/** The total, less what earlier credit notes and refunds have given back. */
function creditable(context: Context, invoice: InvoiceRow): number {
  const notes = issuedFor(context, invoice.id).filter(({ voided_at: at }) => at === null)
  const sum = (of: (note: CreditNoteRow) => number): number => notes.reduce((total, note) => total + of(note), 0)
  const charge = chargeOf(context, invoice)
  const byPeople = (context.table(charges).get(charge ?? '')?.amount_refunded ?? 0) - sum(({ refunded }) => refunded)
  return invoice.total - sum(({ amount }) => amount) - byPeople
}

function chargeOf(context: Context, { payment_intent: intent }: InvoiceRow): string | null {
  return intent === null ? null : (context.table(paymentIntents).get(intent)?.latest_charge ?? null)
}

function giveCredit(
  context: Context,
  { customer: id, currency, id: invoice }: InvoiceRow,
  about: { readonly credit_note: string; readonly amount: number },
): string {
  const by = { ...about, currency, invoice, type: 'credit_note' } as const
  return adjustBalance(context, customer(context, id), by).transaction
}

/** Money that was refunded does not come back, and a paid invoice does not open again. */
function takeBack(context: Context, row: CreditNoteRow): object {
  const invoice = find(context, { table: invoices, noun: 'invoice' }, row.invoice)
  if (row.voided_at !== null) throw invalid('This credit note is already void.')
  if (row.refunded > 0 || (row.before > 0 && invoice.status !== 'open'))
    throw invalid('This credit note cannot be voided: its amount was refunded, or its invoice is no longer open.')
  if (row.credit > 0) giveCredit(context, invoice, { credit_note: row.id, amount: row.credit })
  creditInvoice(context, invoice.id, { before: -row.before, after: -(row.credit + row.outside) })
  return told(context, 'credit_note.voided', { ...row, voided_at: context.now })
}

function told(context: Context, type: string, row: CreditNoteRow): object {
  const kept = context.table(creditNotes).put(row)
  context.emit(type, () => render(context, kept))
  return render(context, kept)
}

function render(context: Context, row: CreditNoteRow): Wire<Stripe.CreditNote> {
  const after = row.amount - row.before
  return {
    id: row.id,
    object: 'credit_note',
    amount: row.amount,
    amount_shipping: 0,
    created: row.created,
    currency: row.currency,
    customer: row.customer,
    customer_account: null,
    customer_balance_transaction: row.balance_transaction,
    discount_amount: 0,
    discount_amounts: [],
    effective_at: row.effective_at,
    invoice: row.invoice,
    lines: listOf([], { url: `/v1/credit_notes/${row.id}/lines` }) as unknown as Wire<
      Stripe.ApiList<Stripe.CreditNoteLineItem>
    >,
    livemode: context.livemode,
    memo: row.memo,
    metadata: row.metadata,
    number: row.number,
    out_of_band_amount: row.outside === 0 ? null : row.outside,
    pdf: `https://pay.stripe.com/credit_notes/${row.id}/pdf`,
    post_payment_amount: after,
    pre_payment_amount: row.before,
    pretax_credit_amounts: [],
    reason: row.reason,
    refunds:
      row.refund === null
        ? []
        : [{ amount_refunded: row.refunded, payment_record_refund: null, refund: row.refund, type: 'refund' }],
    shipping_cost: null,
    status: row.voided_at === null ? 'issued' : 'void',
    subtotal: row.amount,
    subtotal_excluding_tax: row.amount,
    total: row.amount,
    total_excluding_tax: row.amount,
    total_taxes: [],
    type: after === 0 ? 'pre_payment' : row.before === 0 ? 'post_payment' : 'mixed',
    voided_at: row.voided_at,
  }
}
