import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type Stripe from 'stripe'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { crossbill, type Ran } from './crossbill.ts'
import { copyProject, inWorld } from './project-world.ts'

const accounts = ['target', 'us']

interface Member {
  readonly customer: string
  readonly subscriptions: readonly string[]
}

async function enrol(stripe: Stripe, email: string, count: number): Promise<Member> {
  const product = await stripe.products.create({ name: 'Membership' })
  const price = await stripe.prices.create({
    product: product.id,
    currency: 'usd',
    unit_amount: 4900,
    recurring: { interval: 'month' },
  })
  const customer = await stripe.customers.create({
    email,
    payment_method: 'pm_card_visa',
    invoice_settings: { default_payment_method: 'pm_card_visa' },
  })
  const subscriptions: string[] = []
  for (let made = 0; made < count; made++)
    subscriptions.push((await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] })).id)
  return { customer: customer.id, subscriptions }
}

describe('cancel: the manual fallback', () => {
  let folder = ''
  let one: Member
  let two: Member

  beforeEach(async () => {
    folder = copyProject('small')
    ;[one, two] = await inWorld(folder, accounts, async (stripe) => [
      await enrol(stripe('us'), 'Ana@Example.com', 1),
      await enrol(stripe('us'), 'bo@example.com', 2),
    ])
  })
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  const cancel = async (...words: string[]): Promise<Ran> => crossbill(['cancel', ...words], folder)
  const status = async (subscription: string): Promise<string> =>
    await inWorld(folder, accounts, async (stripe) => (await stripe('us').subscriptions.retrieve(subscription)).status)

  test('promise 7: needs no secret of Kajabi, and plan names all that it needs', async () => {
    const project = join(folder, 'catalog/project.yaml')
    const kajabi = 'kajabi: { site: "1", client_id: { env: UNSET_ID }, client_secret: { env: UNSET_SECRET } }\n'
    writeFileSync(project, `${readFileSync(project, 'utf8')}${kajabi}`)
    writeFileSync(join(folder, 'catalog/access.yaml'), 'offers: { course: { kajabi: "1", prices: [] } }\n')
    const { code, stderr } = await cancel(`us/${one.subscriptions[0]}`, '--yes')
    expect({ code, left: stderr.includes('Kajabi is left out') }).toEqual({ code: 0, left: true })
    expect(await status(one.subscriptions[0] ?? '')).toBe('canceled')
    expect((await crossbill(['plan'], folder)).stderr).toContain('UNSET_ID (kajabi.client_id), UNSET_SECRET')
  })

  test.each([
    ['the old subscription', () => `us/${one.subscriptions[0]}`],
    ['its id alone', () => one.subscriptions[0] ?? ''],
    ['the customer', () => one.customer],
    ['the e-mail address', () => 'Ana@Example.com'],
    ['the e-mail address in other letters than Stripe has', () => 'ana@EXAMPLE.com'],
  ])('cancels by %s, and only that subscription', async (_by, named) => {
    const { code, stdout, stderr } = await cancel(named(), '--yes')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain(`us/${one.subscriptions[0]} is cancelled, confirmed by Stripe`)
    expect(stdout).not.toContain('@')
    expect(await status(one.subscriptions[0] ?? '')).toBe('canceled')
    for (const other of two.subscriptions) expect(await status(other)).toBe('active')
  })

  test('cancels a subscription that was made in the target by its own id', async () => {
    const cleo = await inWorld(folder, accounts, async (stripe) => enrol(stripe('target'), 'cleo@example.com', 1))
    const id = cleo.subscriptions[0] ?? ''
    const { code, stdout } = await cancel(`target/${id}`, '--yes')
    expect([code, stdout]).toEqual([0, expect.stringContaining(`target/${id} is cancelled, confirmed by Stripe`)])
    const after = await inWorld(
      folder,
      accounts,
      async (stripe) => (await stripe('target').subscriptions.retrieve(id)).status,
    )
    expect(after).toBe('canceled')
  })

  test('says which item and credit the cancel left, and that it billed and removed neither', async () => {
    const [id = ''] = one.subscriptions
    const item = await inWorld(folder, accounts, async (stripe) => {
      const { customer } = one
      await stripe('us').customers.createBalanceTransaction(customer, { amount: -900, currency: 'usd' })
      return stripe('us').invoiceItems.create({ customer, subscription: id, amount: 4_200, currency: 'usd' })
    })
    const { code, stdout } = await cancel(`us/${id}`, '--yes')
    expect(code).toBe(0)
    expect(stdout).toContain(
      `Left in us: item ${item.id} of 42.00 usd, a credit of 9.00 usd of ${one.customer}. The cancel did not bill or remove it`,
    )
    const still = await inWorld(folder, accounts, async (stripe) => stripe('us').invoiceItems.retrieve(item.id))
    expect(still.invoice).toBeNull()
  })

  test('a second cancel changes nothing', async () => {
    await cancel(one.customer, '--yes')
    const again = await cancel(`us/${one.subscriptions[0]}`, '--yes')
    expect(again.code).toBe(0)
    expect(await status(one.subscriptions[0] ?? '')).toBe('canceled')
  })

  test('does not guess when a customer has two subscriptions', async () => {
    const { code, stderr } = await cancel(two.customer, '--yes')
    expect(code).toBe(1)
    for (const each of two.subscriptions) expect(stderr).toContain(`us/${each}`)
    for (const each of two.subscriptions) expect(await status(each)).toBe('active')
  })

  test('names both customers whose addresses differ in their letters alone, and cancels neither', async () => {
    const again = await inWorld(folder, accounts, async (stripe) => enrol(stripe('us'), 'ana@example.com', 1))
    for (const named of ['Ana@Example.com', 'ana@example.com']) {
      const { code, stderr } = await cancel(named, '--yes')
      expect([code, stderr]).toEqual([1, expect.stringContaining('several_found')])
      for (const { subscriptions } of [one, again]) expect(stderr).toContain(`us/${subscriptions[0]}`)
    }
    expect(await status(again.subscriptions[0] ?? '')).toBe('active')
  })

  test('does nothing when no subscriber matches or no terminal can answer', async () => {
    expect((await cancel('nobody@example.com', '--yes')).stderr).toContain('nobody_found')
    expect((await cancel('us/sub_nobody', '--yes')).stderr).toContain('nobody_found')
    expect((await cancel(one.customer)).stderr).toContain('nobody-to-ask')
    expect(await status(one.subscriptions[0] ?? '')).toBe('active')
  })
})
