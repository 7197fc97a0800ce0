import { expect, test } from 'vitest'
import { instant } from '../../src/core/instant.ts'
import { createSandbox } from '../../src/sandbox/sandbox.ts'
import { clientOf, refusal } from './client.ts'

async function open() {
  const sandbox = createSandbox()
  const stripe = clientOf(sandbox)
  const customer = await stripe.customers.create({ email: 'a@example.com' })
  const session = await stripe.checkout.sessions.create({
    mode: 'setup',
    customer: customer.id,
    allowed_payment_method_types: ['card'],
    setup_intent_data: { metadata: { member: '7' } },
    success_url: 'https://school.example/back',
    cancel_url: 'https://school.example/cancelled',
  })
  const visit = async (
    fields?: Record<string, string>,
  ): Promise<{ status: number; to: string | null; text: string }> => {
    const url = session.url ?? ''
    const answer = await sandbox.fetch(
      url,
      fields === undefined ? {} : { method: 'POST', body: new URLSearchParams(fields).toString() },
    )
    return { status: answer.status, to: answer.headers.get('location'), text: await answer.text() }
  }
  const read = () => stripe.checkout.sessions.retrieve(session.id, { expand: ['setup_intent'] })
  return { sandbox, stripe, customer, session, visit, read }
}

test('a card entered on the page of a session in setup mode is attached, set up and not charged', async () => {
  const { stripe, customer, session, visit, read } = await open()
  expect(session).toMatchObject({ status: 'open', mode: 'setup', amount_total: null, currency: null })
  expect((await visit()).text).toContain('<input name="number"')
  const entered = await visit({ number: '4242 4242 4242 4242', expiry: '12/34', cvc: '123' })
  expect([entered.status, entered.to]).toEqual([303, 'https://school.example/back'])
  const { status, setup_intent: intent, url } = await read()
  const { data } = await stripe.customers.listPaymentMethods(customer.id)
  expect([status, url]).toEqual(['complete', null])
  expect(intent).toMatchObject({
    status: 'succeeded',
    payment_method: data[0]?.id,
    customer: customer.id,
    metadata: { member: '7' },
  })
  expect((await stripe.customers.retrieve(customer.id)) as object).toMatchObject({
    invoice_settings: { default_payment_method: null },
  })
  expect((await stripe.charges.list()).data).toEqual([])
  expect((await visit()).text).toContain('already saved')
})

test('a card that the bank refuses leaves the session open for another one', async () => {
  const { visit, read } = await open()
  expect((await visit({ number: '4000000000000002', expiry: '12/34', cvc: '1' })).text).toContain('was declined')
  expect((await visit({ number: '4242424242424242', expiry: '01/20', cvc: '1' })).text).toContain('in the past')
  expect((await visit({ number: '1', expiry: '12/34', cvc: '1' })).text).toContain('is invalid')
  expect((await read()).status).toBe('open')
  await visit({ number: '5555555555554444', expiry: '12/34', cvc: '1' })
  expect((await read()).status).toBe('complete')
})

test.each(['4000002500003155', '4000003560000008'])(
  'the bank of %s asks the cardholder on the page, and a refused confirmation saves nothing',
  async (number) => {
    const { stripe, customer, visit, read } = await open()
    const card = { number, expiry: '12/34', cvc: '1' }
    expect((await visit(card)).text).toContain('Your bank asks you to confirm')
    expect((await visit({ ...card, confirm: 'fail' })).text).toContain('unable to authenticate')
    expect((await read()).status).toBe('open')
    expect((await stripe.customers.listPaymentMethods(customer.id)).data).toEqual([])
    await visit({ ...card, confirm: 'complete' })
    expect((await read()).status).toBe('complete')
  },
)

test('a session that nobody used expires with its SetupIntent', async () => {
  const { sandbox, visit, read } = await open()
  await sandbox.world.advance(instant(sandbox.clock() + 86_401))
  expect(await read()).toMatchObject({ status: 'expired', setup_intent: { status: 'canceled' } })
  expect((await visit()).status).toBe(404)
})

test('in setup mode nothing can be sold, and a currency or the types of methods must be named', async () => {
  const { stripe, customer } = await open()
  const common = { mode: 'setup', customer: customer.id, success_url: 'https://x.example' } as const
  expect(await refusal(stripe.checkout.sessions.create(common))).toMatchObject({ param: 'currency' })
  expect(
    await refusal(stripe.checkout.sessions.create({ ...common, currency: 'usd', line_items: [{ price: 'price_1' }] })),
  ).toMatchObject({ param: 'line_items' })
  expect((await stripe.checkout.sessions.create({ ...common, currency: 'usd' })).currency).toBe('usd')
})
