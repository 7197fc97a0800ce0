import { Chalk } from 'chalk'
import { expect, test, vi } from 'vitest'
import { applyText } from '../../src/cli/render/apply-text.ts'
import { apply } from '../../src/engine/apply/apply.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import { verify } from '../../src/engine/verify/verify.ts'
import { billsWithoutMethod } from '../../src/handover/no-method.ts'
import { readSource } from '../../src/live/source.ts'
import type { Context } from '../../src/engine/context.ts'
import { type Member, type Members, members } from './members.ts'
import { elsewhere, planAndApply } from './rig.ts'

vi.setConfig({ testTimeout: 60_000 })

/* Whoever bills by itself needs a payment method: after a revert, and on either side. */

const now = '2026-10-05T12:00:00Z'
const since = '2026-09-20T09:15:00Z'

async function moved(member: Omit<Member, 'since'> = {}): Promise<Members> {
  const school = await members([{ since, ...member }], now)
  await planAndApply(school.stage('target'))
  return school
}

async function oldOf({ us, subscriptions: [id = ''] }: Members) {
  const { customer } = await us.subscriptions.retrieve(id)
  return { id, customer: customer as string }
}

async function detach({ us }: Members, customer: string): Promise<void> {
  for (const { id } of (await us.customers.listPaymentMethods(customer)).data) await us.paymentMethods.detach(id)
}

async function removeDefault({ us }: Members, customer: string): Promise<void> {
  await us.customers.update(customer, { invoice_settings: { default_payment_method: '' } })
}

async function planned(context: Context): Promise<readonly string[]> {
  const { changes, blocked } = await makePlan(await elsewhere(context))
  return blocked.map(({ code }) => code).concat(changes.map(({ action }) => action))
}

async function codes(context: Context): Promise<readonly string[]> {
  return (await verify(await elsewhere(context))).violations.map(({ code }) => code)
}

const ways: Readonly<Record<string, readonly [Omit<Member, 'since'>, (school: Members, id: string) => Promise<void>]>> =
  {
    'the card of the customer was detached': [{}, detach],
    'the card of the subscription was detached': [{ cardOn: 'subscription' }, detach],
    'the default of the customer was removed': [{}, removeDefault],
  }

test.each(Object.keys(ways))(
  'promise 2: %s in the old account during the hold: a revert waits until it can charge',
  async (name) => {
    const [member, lose] = ways[name] ?? [{}, detach]
    await using school = await moved(member)
    const { customer, id } = await oldOf(school)
    await lose(school, customer)
    expect(await planned(school.stage('source'))).toEqual(['no_method_in_source'])
    const card = await school.us.paymentMethods.attach('pm_card_mastercard', { customer })
    if (member.cardOn === 'subscription') await school.us.subscriptions.update(id, { default_payment_method: card.id })
    else await school.us.customers.update(customer, { invoice_settings: { default_payment_method: card.id } })
    expect(await planned(school.stage('source'))).toEqual(['revert'])
    const { result } = await planAndApply(school.stage('source'))
    expect(result).toMatchObject({ ok: true, remaining: [], violations: [] })
  },
)

test('the run looks again, and verify names who bills without a method on either side', async () => {
  await using school = await moved()
  const { customer, id } = await oldOf(school)
  const context = school.stage('source')
  const plan = await makePlan(context)
  const us = context.accounts.sources.get('us')
  if (us === undefined) throw new Error('us')
  let waits = true
  const send: typeof us.send = async (request) => {
    if (waits && request.method === 'GET' && request.path === `/v1/subscriptions/${id}`) {
      waits = false
      await removeDefault(school, customer)
    }
    return us.send(request)
  }
  const sources = new Map(context.accounts.sources).set('us', { ...us, send })
  const result = await apply({ ...context, accounts: { ...context.accounts, sources } }, plan)
  expect(result.changes).toMatchObject([{ outcome: 'skipped', code: 'no_method_in_source' }])
  const usual = (await school.us.customers.listPaymentMethods(customer)).data[0]?.id ?? ''
  await school.us.customers.update(customer, { invoice_settings: { default_payment_method: usual } })
  await planAndApply(school.stage('source'))
  expect(await codes(school.stage('source'))).toEqual([])
  await removeDefault(school, customer)
  expect(await codes(school.stage('source'))).toEqual(['no_method_in_source'])
})

test('promise 12: an apply that did everything does not say that changes were not done', async () => {
  await using school = await moved()
  const { customer, id } = await oldOf(school)
  const context = school.stage('source')
  const plan = await makePlan(context)
  const us = context.accounts.sources.get('us')
  if (us === undefined) throw new Error('us')
  const send: typeof us.send = async (request) => {
    const answer = await us.send(request)
    // Right after the release, the card goes.
    if (request.method === 'POST' && request.path === `/v1/subscriptions/${id}`) await removeDefault(school, customer)
    return answer
  }
  const sources = new Map(context.accounts.sources).set('us', { ...us, send })
  const result = await apply({ ...context, accounts: { ...context.accounts, sources } }, plan)
  expect(result).toMatchObject({
    ok: false,
    changes: [{ action: 'revert', outcome: 'done' }],
    remaining: [],
    violations: [{ code: 'no_method_in_source' }],
  })
  const text = applyText(result, new Chalk({ level: 0 }))
  expect(text).toContain('1 reverted to the old account')
  expect(text).not.toContain('not done')
  expect(text).toContain('Every change was done, and verify still finds')
})

test('a payer in the target whose card is gone is named, also where no copy can replace it', async () => {
  await using school = await moved({ cardOn: 'subscription' })
  const [successor] = (await school.target.subscriptions.list({})).data
  const customer = successor?.customer as string
  for (const { id } of (await school.target.customers.listPaymentMethods(customer)).data)
    await school.target.paymentMethods.detach(id)
  expect(await codes(school.stage('target'))).toContain('no_method_in_target')
})

test('a member who owes nothing needs no method', async () => {
  await using school = await moved({ price: 'free' })
  const { customer } = await oldOf(school)
  await detach(school, customer)
  expect(await planned(school.stage('source'))).toEqual(['revert'])
  await planAndApply(school.stage('source'))
  expect(await codes(school.stage('source'))).toEqual([])
})

test('sent invoices need no method', async () => {
  await using school = await moved()
  const old = await school.us.subscriptions.retrieve((await oldOf(school)).id)
  const found = (['charge_automatically', 'send_invoice'] as const).map((collection_method) =>
    billsWithoutMethod(readSource({ ...old, collection_method }, undefined), null),
  )
  expect(found).toEqual([true, false])
})

test('a trial that Stripe pauses or cancels for want of a card is no payer without a method', async () => {
  for (const missing_payment_method of ['create_invoice', 'pause'] as const) {
    const trial_end = Date.parse('2026-11-20T00:00:00Z') / 1_000
    await using school = await moved({
      create: { trial_end, trial_settings: { end_behavior: { missing_payment_method } } },
    })
    expect((await planAndApply(school.stage('source'))).result.ok).toBe(true)
    await detach(school, (await oldOf(school)).customer)
    const found = missing_payment_method === 'create_invoice' ? ['no_method_in_source'] : []
    expect(await codes(school.stage('source'))).toEqual(found)
  }
})
