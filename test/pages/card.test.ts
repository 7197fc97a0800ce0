import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { signCardLink } from '../../src/cards/link.ts'
import { instant } from '../../src/core/instant.ts'
import { success } from '../../src/core/outcome.ts'
import type { CardContext } from '../../src/engine/cards/context.ts'
import { openCardPage } from '../../src/engine/cards/session.ts'
import { cardState } from '../../src/engine/cards/state.ts'
import { createSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts'
import { serveSandbox } from '../../src/sandbox/server.ts'
import { openStore, type OpenStore } from '../../src/store/open.ts'
import { connectAccount } from '../../src/stripe/account.ts'
import { clientOf } from '../sandbox/client.ts'
import { linkSecret, now, runService, type Running } from '../server/service.ts'
import { barriers } from './accessible.ts'
import { executablePath, inBrowser, overflows } from './browser.ts'

const pictures = process.env['CROSSBILL_PICTURES']

/** Saves what the page looks like, for a person who reviews it. */
async function picture(page: Page, name: string): Promise<void> {
  if (pictures === undefined) return
  mkdirSync(pictures, { recursive: true })
  await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true })
}

describe.skipIf(executablePath === undefined)('the member’s card page in a browser', { timeout: 60_000 }, () => {
  const openAt = inBrowser()
  let running: Running
  let sandbox: Sandbox
  let served: Awaited<ReturnType<typeof serveSandbox>>
  let store: OpenStore
  let customer = ''

  beforeEach(async () => {
    sandbox = createSandbox()
    served = await serveSandbox(sandbox, { port: 0 })
    store = await openStore({ file: ':memory:' })
    customer = (await clientOf(sandbox, 'target').customers.create({ email: 'a@example.com' })).id
    const target = await connectAccount({ name: 'target', key: 'sk_test_sandbox_target', fetch: sandbox.fetch })
    const cards: CardContext = {
      accounts: { target, sources: new Map() },
      store,
      interrupt: { requested: false },
      run: 'page',
      wait: async () => {},
      clock: () => target.now(),
    }
    running = await runService({ school: { name: 'Formula School', contact: 'help@school.example' } })
    running.ending.value = success({
      state: 'live',
      products: ['Formulation Membership'],
      endsAt: now,
      nextPayment: instant(now + 86_400),
      nextAmount: { amount: 4_900, currency: 'eur' },
      moved: true,
    })
    running.cards.state = async (owner) => await cardState(cards, owner)
    running.cards.open = async (owner, token) =>
      await openCardPage(cards, owner, `${running.service.url}/card/${token}`)
  })
  afterEach(async () => {
    await running.service.close()
    await served.close()
    await store.close()
  })

  const link = (): string => {
    const claims = { subscriber: 'us/sub_1', customer, expires: instant(now + 600) }
    return `${running.service.url}/card/${signCardLink(claims, Buffer.from(linkSecret, 'base64'))}`
  }
  const methods = async (): Promise<number> =>
    (await clientOf(sandbox, 'target').customers.listPaymentMethods(customer)).data.length

  async function fill(page: Page, number: string): Promise<void> {
    await page.getByLabel('Card number').fill(number)
    await page.getByLabel('Expiry').fill('12/34')
    await page.getByLabel('CVC').fill('123')
    await page.getByRole('button', { name: 'Save card' }).click()
  }

  it.each([
    ['on a phone, without JavaScript', { width: 390, javaScript: false }],
    ['at a desk', { width: 1_280 }],
  ])('saves a card %s: to Stripe’s page, past a refused card, and back', async (_, options) => {
    const { page, problems } = await openAt(link(), options)
    expect(await page.locator('body').innerText()).toContain('Your next payment of €49.00')
    await page.getByRole('button').click()
    await page.waitForURL(/\/c\/pay\//)
    await fill(page, '4000000000000002')
    expect(await page.getByRole('alert').innerText()).toBe('Your card was declined.')
    await fill(page, '4000002500003155')
    await page.getByRole('button', { name: 'Complete' }).click()
    await page.waitForURL(/\/card\//)
    expect(await page.getByRole('heading').innerText()).toBe('Your card is saved')
    expect([await methods(), await page.getByRole('button').count()]).toEqual([1, 0])
    // Back, reload and another press of the link show the same and open nothing.
    await page.goto(link())
    await page.reload()
    expect([await page.getByRole('heading').innerText(), await methods()]).toEqual(['Your card is saved', 1])
    expect(problems).toEqual([])
  })

  it('pressed in two tabs it opens one page of Stripe, and a member who turns back can press again', async () => {
    const [one, two] = [await openAt(link(), { width: 800 }), await openAt(link(), { width: 800 })]
    for (const { page } of [one, two]) {
      await page.getByRole('button').click()
      await page.waitForURL(/\/c\/pay\//)
    }
    expect(one.page.url()).toBe(two.page.url())
    await one.page.getByRole('link', { name: 'Back' }).click()
    expect(await one.page.getByRole('button').count()).toBe(1)
    await fill(two.page, '4242424242424242')
    await one.page.getByRole('button').click()
    await one.page.getByRole('heading', { name: 'Your card is saved' }).waitFor()
    expect(await methods()).toBe(1)
  })

  it('works with the keyboard alone, and without a redirect by the browser', async () => {
    const { page } = await openAt(link(), { width: 800 })
    await page.keyboard.press('Tab')
    expect(await page.evaluate<string>('document.activeElement.tagName')).toBe('BUTTON')
    expect(await page.evaluate<string>('getComputedStyle(document.activeElement).outlineStyle')).not.toBe('none')
    await page.keyboard.press('Enter')
    await page.waitForURL(/\/c\/pay\//)
  })

  const states = {
    asks: async () => {},
    'is saved': async () => {
      running.cards.state = () => Promise.resolve(success({ state: 'entered' }))
    },
    'is not needed': async () => {
      if (running.ending.value.ok) running.ending.value = success({ ...running.ending.value.value, state: 'ended' })
    },
    'cannot be reached': async () => {
      running.cards.state = () => Promise.reject(new Error('no answer'))
    },
  }
  it.each(Object.entries(states))('has no barriers on phone and desk, light and dark: it %s', async (name, set) => {
    await set()
    for (const width of [390, 1_280]) {
      const { page } = await openAt(link(), { width })
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme })
        expect(await barriers(page)).toEqual([])
        await picture(page, `card ${name} ${colorScheme} ${width}`)
      }
      expect(await overflows(page)).toBe(false)
      await page.evaluate("document.documentElement.style.fontSize = '200%'")
      expect(await overflows(page)).toBe(false)
      await page.context().close()
    }
  })
})
