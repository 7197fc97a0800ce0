// https://docs.stripe.com/api/invoices
import type { Context } from '../kernel/context.ts'
import { invalid } from '../kernel/errors.ts'
import { find, retrieveRoute, type Kind } from '../kernel/kind.ts'
import { listOf, listPage, paging, type Paging } from '../kernel/lists.ts'
import { route, type Module } from '../kernel/module.ts'
import {
  emptyable,
  fields,
  flag,
  inRange,
  mergeMetadata,
  metadata,
  oneOf,
  range,
  text,
  type Parsed,
} from '../kernel/params.ts'
import { searchRoute } from '../kernel/search.ts'
import { ofCustomer } from './customer-row.ts'
import {
  attempt,
  finalize,
  finalizeOnTime,
  keepInvoice,
  longOverdueOnTime,
  markPaid,
  markUncollectible,
  overdueOnTime,
  retryOnTime,
  tellInvoice,
  voidInvoice,
} from './billing/collecting.ts'
import { noMethod } from './billing/creating.ts'
import { payingMethod } from './billing/paying.ts'
import { preview, previewParams } from './billing/previewing.ts'
import { invoiceItems, invoices, paymentIntents, type InvoiceRow } from './billing/rows.ts'
import { checkMethodOf, customerFacts } from './billing/lookups.ts'
import { recompose } from './billing/recomposing.ts'
import { mustLocate } from './billing/tax-of.ts'
import { declinedBy } from './billing/refusals.ts'
import { createInvoice, createInvoiceParams } from './invoice-create.ts'
import { invoicePayment, lineId, renderInvoice, renderLine } from './invoice-view.ts'

const invoiceKind: Kind<InvoiceRow> = {
  table: invoices,
  noun: 'invoice',
  url: '/v1/invoices',
  permission: 'invoices',
  render: renderInvoice,
}

const permission = 'invoices'
const one = '/v1/invoices/:id'

const updateParams = fields({
  auto_advance: flag(),
  default_payment_method: emptyable(text()),
  default_source: emptyable(text()),
  description: emptyable(text()),
  footer: emptyable(text()),
  metadata: metadata(),
  statement_descriptor: text({ max: 22 }),
})

const payParams = fields({
  forgive: flag(),
  mandate: emptyable(text()),
  off_session: flag(),
  paid_out_of_band: flag(),
  payment_method: text(),
  source: text(),
})

export const invoiceModule: Module = {
  routes: [
    retrieveRoute(invoiceKind),
    route('GET', '/v1/invoices', {
      permission,
      params: fields({
        ...paging,
        collection_method: oneOf('charge_automatically', 'send_invoice'),
        created: range(),
        customer: text(),
        due_date: range(),
        status: oneOf('draft', 'open', 'paid', 'uncollectible', 'void'),
        subscription: text(),
      }),
      handle: (context, params) =>
        listPage(context, params, {
          table: invoices,
          url: '/v1/invoices',
          ...walk(context, params),
          keep: (row) =>
            inRange(row.created, params.created) &&
            (params.due_date === undefined || (row.due_date !== null && inRange(row.due_date, params.due_date))) &&
            (params.customer === undefined || row.customer === params.customer) &&
            (params.subscription === undefined || row.subscription === params.subscription) &&
            (params.status === undefined || row.status === params.status) &&
            (params.collection_method === undefined || row.collection_method === params.collection_method),
          render: renderInvoice,
        }),
    }),
    searchRoute(invoiceKind, {
      fields: {
        created: (row) => row.created,
        currency: (row) => row.currency,
        customer: (row) => row.customer,
        number: (row) => row.number,
        status: (row) => row.status,
        subscription: (row) => row.subscription,
        total: (row) => row.total,
      },
      metadata: (row) => row.metadata,
    }),
    route('POST', '/v1/invoices/create_preview', { permission, params: previewParams, handle: preview }),
    route('POST', '/v1/invoices', {
      permission,
      params: createInvoiceParams,
      handle: (context, given) => renderInvoice(context, createInvoice(context, given)),
    }),
    route('POST', one, {
      permission,
      params: updateParams,
      handle: (context, given) => renderInvoice(context, update(context, named(context), given)),
    }),
    route('DELETE', one, { permission, params: fields({}), handle: (context) => remove(context, named(context)) }),
    route('POST', `${one}/finalize`, {
      permission,
      params: fields({ auto_advance: flag() }),
      handle: (context, given) => renderInvoice(context, finalizeNow(context, named(context), given.auto_advance)),
    }),
    route('POST', `${one}/pay`, {
      permission,
      params: payParams,
      handle: (context, given) => renderInvoice(context, pay(context, named(context), given)),
    }),
    route('POST', `${one}/void`, {
      permission,
      params: fields({}),
      handle: (context) =>
        renderInvoice(context, voidInvoice(context, noneUnderWay(context, uncollected(named(context), 'void')))),
    }),
    route('POST', `${one}/mark_uncollectible`, {
      permission,
      params: fields({}),
      handle(context) {
        const row = named(context)
        if (row.status !== 'open') throw wrongStatus(row, 'mark as uncollectible', 'open')
        return renderInvoice(context, markUncollectible(context, row))
      },
    }),
    route('POST', `${one}/send`, {
      permission,
      params: fields({}),
      handle(context) {
        const row = named(context)
        if (row.collection_method !== 'send_invoice')
          throw invalid('You can only manually send an invoice if its `collection_method` is `send_invoice`.')
        const sent = row.status === 'draft' ? finalize(context, row) : row
        tellInvoice(context, 'invoice.sent', sent)
        return renderInvoice(context, sent)
      },
    }),
    route('GET', `${one}/lines`, {
      permission,
      params: fields({ ...paging }),
      handle: (context, params) => linesPage(context, named(context), params),
    }),
    route('GET', '/v1/invoice_payments', {
      permission,
      params: fields({ ...paging, invoice: text(), status: oneOf('canceled', 'open', 'paid'), created: range() }),
      handle: (context, params) =>
        listPage(context, paymentCursors(params), {
          table: invoices,
          url: '/v1/invoice_payments',
          keep: (row) => {
            const payment = invoicePayment(context, row)
            return (
              payment !== null &&
              inRange(payment.created, params.created) &&
              (params.invoice === undefined || row.id === params.invoice) &&
              (params.status === undefined || payment.status === params.status)
            )
          },
          render: (_, row) => invoicePayment(context, row) ?? {},
        }),
    }),
  ],
  objects: {
    in: (context, id) => {
      const row = context.table(invoices).get(id)
      return row === undefined ? undefined : renderInvoice(context, row)
    },
  },
  includable: { invoice: ['confirmation_secret', 'payments'] },
  due: {
    'invoice.finalize': { rank: 120, run: finalizeOnTime },
    'invoice.attempt': { rank: 120, run: retryOnTime },
    'invoice.overdue': { rank: 125, run: overdueOnTime },
    'invoice.long_overdue': { rank: 125, run: longOverdueOnTime },
  },
}

/**
 * The id of a payment is that of its invoice with another prefix; so are the cursors of its list.
 */
function paymentCursors(params: Paging): Paging {
  const invoiceOf = (cursor: string) => cursor.replace(/^inpay_/, 'in_')
  return {
    ...params,
    ...(params.starting_after === undefined ? {} : { starting_after: invoiceOf(params.starting_after) }),
    ...(params.ending_before === undefined ? {} : { ending_before: invoiceOf(params.ending_before) }),
  }
}

function named(context: Context): InvoiceRow {
  return find(context, invoiceKind, context.id('id'))
}

function walk(
  context: Context,
  params: { readonly customer?: string; readonly subscription?: string; readonly status?: string },
) {
  const theirs = ofCustomer(context, params.customer)
  if (params.subscription !== undefined) return { by: ['subscription', params.subscription] as const }
  if (theirs.by !== undefined) return theirs
  const { status } = params
  return status === 'draft' || status === 'open' || status === 'uncollectible'
    ? { by: ['status', status] as const }
    : {}
}

function wrongStatus(row: InvoiceRow, doing: string, needed: string): Error {
  return invalid(
    `You can only ${doing} an invoice with a status of ${needed}. This invoice has a status of ${row.status}.`,
    {
      code: 'status_transition_invalid',
    },
  )
}

/**
 * A processing payment can no longer be stopped: it may still succeed, whatever happens to
 * the invoice.
 */
function noneUnderWay(context: Context, row: InvoiceRow): InvoiceRow {
  const intent = row.payment_intent === null ? undefined : context.table(paymentIntents).get(row.payment_intent)
  if (intent?.status === 'processing')
    throw invalid(`Invoice ${row.id} cannot be voided while its payment is processing.`)
  return row
}

/** Drafts and open invoices; paid and void invoices are final. */
function uncollected(row: InvoiceRow, doing: string): InvoiceRow {
  if (row.status === 'open' || row.status === 'uncollectible') return row
  throw wrongStatus(row, doing, 'open or uncollectible')
}

const finalizedToo = new Set(['auto_advance', 'metadata', 'default_payment_method', 'default_source'])

function update(context: Context, row: InvoiceRow, given: Parsed<typeof updateParams>): InvoiceRow {
  const frozen = Object.keys(given).filter((key) => !finalizedToo.has(key))
  if (row.status !== 'draft' && frozen.length > 0)
    throw invalid(`Finalized invoices can't be updated in this way: ${frozen.join(', ')}`, {
      code: 'invoice_not_editable',
      param: frozen[0] ?? '',
    })
  for (const param of ['default_payment_method', 'default_source'] as const) {
    const id = given[param]
    if (typeof id === 'string') checkMethodOf(context, id, { customer: row.customer, param })
  }
  const advance = given.auto_advance ?? row.auto_advance
  const keep = <T>(value: T | undefined, before: T): T => (value === undefined ? before : value)
  const changed = keepInvoice(context, {
    ...row,
    auto_advance: advance,
    finalizes_at:
      row.status === 'draft' && advance
        ? (row.finalizes_at ?? context.now + context.account.settings.draft_seconds)
        : null,
    next_payment_attempt: row.status === 'open' ? nextAttemptOf(context, row, given.auto_advance) : null,
    default_payment_method: keep(given.default_payment_method, row.default_payment_method),
    default_source: keep(given.default_source, row.default_source),
    description: keep(given.description, row.description),
    footer: keep(given.footer, row.footer),
    statement_descriptor: keep(given.statement_descriptor, row.statement_descriptor),
    metadata: mergeMetadata(row.metadata, given.metadata),
  })
  tellInvoice(context, 'invoice.updated', changed)
  return changed
}

/** Enabling `auto_advance` resumes collection within the hour; disabling it stops collection. */
function nextAttemptOf(context: Context, row: InvoiceRow, advance: boolean | undefined): number | null {
  if (advance === undefined) return row.next_payment_attempt
  if (!advance || row.collection_method !== 'charge_automatically') return null
  return row.next_payment_attempt ?? context.now + context.account.settings.draft_seconds
}

/**
 * Drafts may be deleted, but not those of a subscription: "Attempts to delete invoices that are no
 * longer in a draft state will fail; … or an invoice that represents a subscription, it must be
 * voided".
 */
function remove(context: Context, row: InvoiceRow): object {
  if (row.status !== 'draft')
    throw invalid('You can only delete draft invoices. Once an invoice has been finalized, it must be voided.')
  if (row.subscription !== null)
    throw invalid("You can't delete invoices created by subscriptions.", { code: 'invoice_not_editable' })
  for (const item of context.table(invoiceItems).by('invoice', row.id)) context.table(invoiceItems).delete(item.id)
  keepInvoice(context, { ...row, finalizes_at: null, next_payment_attempt: null })
  context.table(invoices).delete(row.id)
  context.emit('invoice.deleted', () => renderInvoice(context, row))
  return { id: row.id, object: 'invoice', deleted: true }
}

/**
 * A draft that waited for its customer's location is recomputed with the tax of the present
 * location.
 */
function locatedAgain(context: Context, row: InvoiceRow): InvoiceRow {
  if (row.automatic_tax.status !== 'requires_location_inputs') return row
  mustLocate(context, customerFacts(context, row.customer))
  keepInvoice(context, { ...row, automatic_tax: { enabled: true, status: 'complete' } })
  return recompose(context, row.id)
}

function finalizeNow(context: Context, row: InvoiceRow, advance: boolean | undefined): InvoiceRow {
  if (row.status !== 'draft')
    throw invalid("This invoice is already finalized, you can't re-finalize a non-draft invoice.")
  const open = finalize(context, { ...locatedAgain(context, row), auto_advance: advance ?? row.auto_advance })
  if (open.status !== 'open' || !open.auto_advance || open.collection_method !== 'charge_automatically') return open
  return keepInvoice(context, { ...open, next_payment_attempt: context.now + context.account.settings.draft_seconds })
}

function pay(context: Context, row: InvoiceRow, given: Parsed<typeof payParams>): InvoiceRow {
  if (row.status === 'paid') throw invalid('Invoice is already paid', { code: 'invoice_already_paid' })
  if (row.status === 'void') throw wrongStatus(row, 'pay', 'open')
  const open = row.status === 'draft' ? finalize(context, locatedAgain(context, row)) : row
  if (open.status === 'paid') return open
  if (given.paid_out_of_band === true) return markPaid(context, open)
  const named = given.payment_method ?? given.source
  if (named !== undefined) checkMethodOf(context, named, { customer: row.customer, param: 'payment_method' })
  const method = named ?? payingMethod(context, open)
  if (method === null) throw noMethod()
  const { invoice, outcome } = attempt(context, open, { by: 'request', method })
  if (outcome.kind === 'failed') throw declinedBy(outcome)
  if (outcome.kind === 'no_method') throw noMethod()
  return invoice
}

function linesPage(
  context: Context,
  row: InvoiceRow,
  params: { readonly limit?: number; readonly starting_after?: string },
) {
  const { limit = 10, starting_after } = params
  const from =
    starting_after === undefined ? 0 : row.lines.findIndex((_, index) => lineId(row, index) === starting_after) + 1
  const shown = row.lines
    .slice(from, from + limit)
    .map((line, at) => renderLine(context, row, { line, index: from + at }))
  return listOf(shown, { url: `/v1/invoices/${row.id}/lines`, has_more: from + limit < row.lines.length })
}
