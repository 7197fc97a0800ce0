import { expect, test } from 'vitest'
import type Stripe from 'stripe'
import { present } from '../../src/core/assert.ts'
import { cloneSandbox, createSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts'
import { clientOf } from '../sandbox/client.ts'
import { at, dieAt, elsewhere, planAndApply } from './rig.ts'
import { openPulled } from './school.ts'
import { member, violationsOf } from './stories/world.ts'

const policies = `policies: ${JSON.stringify({ past_due: 'carry', pending_invoice_items: 'carry' })}\n`

type Human = (client: Stripe, id: string) => Promise<unknown>

/** What a person decides about the debt while its hand-over lies killed after the note. */
const decisions = {
  'writes the debt off': (client: Stripe, id: string) => client.invoices.markUncollectible(id),
  'voids the debt': (client: Stripe, id: string) => client.invoices.voidInvoice(id),
}

/** An item: a person bills it at once with a separate invoice. */
async function billAtOnce(client: Stripe, id: string): Promise<void> {
  const { customer } = await client.invoiceItems.retrieve(id)
  const { id: invoice } = await client.invoices.create({
    customer: typeof customer === 'string' ? customer : customer.id,
    pending_invoice_items_behavior: 'include',
  })
  await client.invoices.finalizeInvoice(present(invoice, 'an invoice'))
}

type Past = 'a debt' | 'an item'

async function past(kind: Past): Promise<Sandbox> {
  const sandbox = createSandbox({ clock: at('2026-01-15T08:00:00Z') })
  const us = clientOf(sandbox)
  const customer = await member(us)
  const { id: product } = await us.products.create({ name: 'Membership' })
  const recurring = { interval: 'month' } as const
  const { id: price } = await us.prices.create({ product, currency: 'usd', unit_amount: 4_900, recurring })
  const { id } = await us.subscriptions.create({ customer, items: [{ price }] })
  if (kind === 'a debt') {
    const body = JSON.stringify({ act: 'decline_card', account: 'us', subscription: id })
    await sandbox.fetch('https://sandbox/_sandbox/act', { method: 'POST', body })
  }
  await sandbox.world.advance(at('2026-02-25T12:00:00Z'))
  if (kind === 'an item') await us.invoiceItems.create({ customer, amount: 750, currency: 'usd' })
  return sandbox
}

/** The debt or the item that is carried: the only one of its account. */
async function pieceOf(client: Stripe, kind: Past): Promise<string | undefined> {
  if (kind === 'an item') return (await client.invoiceItems.list({ pending: true })).data[0]?.id
  return (await client.invoices.list({ status: 'open' })).data[0]?.id
}

/** Killed after the note, then the person decides, then a run finishes. */
async function decided(kind: Past, to: 'target' | 'source', human: Human, isElsewhere: boolean) {
  const begun = await past(kind)
  const out = to === 'target' ? 'us' : 'target'
  const open = async () => {
    const school = await openPulled(cloneSandbox(begun), policies)
    await planAndApply(school.stage(to === 'target' ? 'source' : 'target'))
    return school
  }
  await using clean = await open()
  const before = clean.rig.sent.length
  await planAndApply(clean.stage(to))
  const taken = clean.rig.sent.slice(before).findIndex((one) => / (POST .*\/void|DELETE .*invoiceitems)/.test(one))
  // An invoice is marked right before it is voided.
  const request = taken - (kind === 'a debt' ? 2 : 1)
  await using school = await open()
  const client = clientOf(school.rig.sandbox, out)
  const id = present(await pieceOf(client, kind), 'the piece')
  const context = school.stage(to)
  expect(await dieAt(context, { request, side: 'after' }, planAndApply)).toBe(true)
  const [old] = (await clientOf(school.rig.sandbox).subscriptions.list({})).data
  expect(old?.metadata).toMatchObject({ crossbill_money_0: expect.stringContaining(id) as string })
  await human(client, id)
  const decision = await statusOf(client, kind, id)
  const last = isElsewhere ? await elsewhere(context) : context
  const { result } = await planAndApply(last)
  const other = clientOf(school.rig.sandbox, to === 'target' ? 'target' : 'us')
  return {
    ok: result.ok,
    unchanged: (await statusOf(client, kind, id)) === decision,
    carried: (await pieceOf(other, kind)) ?? null,
    notes: school.rig.notes.filter((note) => note.includes(`${id} was `)).length,
    violations: await violationsOf(last),
    open: await last.store.journalOpen(),
  }
}

async function statusOf(client: Stripe, kind: Past, id: string): Promise<unknown> {
  if (kind === 'a debt') return (await client.invoices.retrieve(id)).status
  return (await client.invoiceItems.retrieve(id)).invoice
}

const left = { ok: true, unchanged: true, carried: null, notes: 1, violations: [], open: [] }

test.each([
  ['writes the debt off', 'target', true],
  ['voids the debt', 'target', true],
  ['voids the debt', 'target', false],
  ['writes the debt off', 'source', false],
  ['voids the debt', 'source', true],
] as const)(
  'a forgiven debt is never charged: a person %s while a killed run to the %s waits (other store: %s)',
  async (decision, to, isElsewhere) => {
    expect(await decided('a debt', to, decisions[decision], isElsewhere)).toEqual(left)
  },
)

test.each([
  ['target', true],
  ['source', false],
] as const)(
  'no item is charged twice: a person bills it at once while a killed run to the %s waits (other store: %s)',
  async (to, isElsewhere) => {
    expect(await decided('an item', to, billAtOnce, isElsewhere)).toEqual(left)
  },
)
