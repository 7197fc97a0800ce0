import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { chromium, type Browser, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { signLink } from '../../src/cancel/link.ts'
import { instant } from '../../src/core/instant.ts'
import { findChromium } from '../chromium.ts'
import { linkSecret, now, runService, type Running } from './service.ts'

const executablePath = findChromium()
if (executablePath === undefined)
  process.stderr.write('pages: skipped, no Chromium found (install chromium, or set CROSSBILL_CHROMIUM)\n')

describe.skipIf(executablePath === undefined)('pages in a browser', { timeout: 60_000 }, () => {
  let browser: Browser
  let running: Running
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: executablePath ?? '', chromiumSandbox: false })
  })
  afterAll(() => browser.close())
  beforeEach(async () => {
    running = await runService()
  })
  afterEach(() => running.service.close())

  const link = (): string =>
    `${running.service.url}/cancel/${signLink({ subscriber: 'us/sub_1', offer: 'membership', expires: instant(now + 600), id: 'link-1' }, Buffer.from(linkSecret, 'base64'))}`
  const open = async (
    url: string,
    options: Parameters<Browser['newContext']>[0] = {},
  ): Promise<{ page: Page; problems: string[] }> => {
    const page = await (await browser.newContext({ javaScriptEnabled: false, ...options })).newPage()
    const problems: string[] = []
    page.on('console', (message) => void problems.push(message.text()))
    page.on('requestfailed', (request) => void problems.push(request.url()))
    await page.goto(url)
    return { page, problems }
  }
  const overflows = async (page: Page): Promise<boolean> => {
    const box = await page.locator('main').boundingBox()
    return box === null || box.x < 0 || box.x + box.width > (page.viewportSize()?.width ?? 0)
  }

  test('a member cancels by keyboard alone, without scripts', async () => {
    const { page, problems } = await open(link())
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.getByRole('status').waitFor()
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Your cancellation is in progress')
    expect(running.signals).toHaveLength(1)
    expect(problems).toEqual([])
    await page.goBack()
    expect(running.signals).toHaveLength(1)
  })

  test('a screen reader reads the question in the page’s language', async () => {
    const { page } = await open(link(), { locale: 'de-DE' })
    expect(await page.locator('html').getAttribute('lang')).toBe('de')
    const button = page.getByRole('button', { name: 'Ja, kündigen' })
    expect(await button.getAttribute('aria-describedby')).toBe('question')
    expect(await page.locator('#question').textContent()).toBe('Möchten Sie kündigen?')
    expect(await page.getByRole('main').count()).toBe(1)
  })

  test.each([
    ['a phone', { viewport: { width: 320, height: 568 } }],
    ['a phone in the dark', { viewport: { width: 390, height: 844 }, colorScheme: 'dark' as const }],
    ['a desk', { viewport: { width: 1_280, height: 800 } }],
  ])('fits %s, with a button that is large enough for a thumb', async (name, options) => {
    const { page, problems } = await open(link(), { ...options, javaScriptEnabled: true })
    expect(await overflows(page)).toBe(false)
    const button = await page.getByRole('button').boundingBox()
    expect(button?.height).toBeGreaterThanOrEqual(44)
    // The content security policy allows the style sheet by its hash. Otherwise the button is grey.
    const colour = await page.evaluate("getComputedStyle(document.querySelector('button')).backgroundColor")
    expect(['rgb(163, 38, 47)', 'rgb(224, 101, 109)']).toContain(colour)
    expect(problems).toEqual([])
    await keep(page, `cancel ${name}`)
  })

  test('the status page fits a phone with every trouble at once', async () => {
    for (const id of ['a', 'b', 'c']) {
      running.metrics.accepted(id)
      running.metrics.heard({ level: 'info', event: 'stripe_confirmed', id })
    }
    running.status.value = {
      states: { received: 3, verifying: 0, cancelling: 1, retry: 4, done: 120, ignored: 7, dead: 2 },
      oldestPendingSeconds: 300,
      breaker: '50 cancels within an hour reached the limit of 50',
      lastReconciliation: { at: instant(now - 90_000), differences: 4, found: { missing: 4 } },
      leases: [
        { work: 'leads the service', holder: 'run-2026-11-30-0123456789abcdef-1234abcd', expires: instant(now + 12) },
      ],
      dead: [
        {
          id: 'sig_6c9f3a2b71d40011',
          acceptedAt: instant(now - 7_300),
          state: 'dead',
          reason: 'ambiguous: several subscriptions match: us/sub_1NqUs0042aaaaaaa, intl/sub_1NqIntl0042bbbbbb',
        },
        { id: 'sig_6c9f3a2b71d40012', acceptedAt: instant(now - 300), state: 'dead', reason: 'nobody' },
      ],
      waiting: [
        {
          id: 'sig_6c9f3a2b71d40013',
          acceptedAt: instant(now - 300),
          state: 'retry',
          reason: 'rate_limit_global-rate',
        },
      ],
    }
    await fetch(running.service.adminUrl)
    // The page shows what was read last.
    Object.defineProperty(running.status, 'value', { get: () => Promise.reject(new Error('the store is away')) })
    for (const [name, options] of [
      ['phone', { viewport: { width: 390, height: 844 } }],
      ['small phone', { viewport: { width: 360, height: 740 } }],
      ['desk', { viewport: { width: 1_280, height: 900 } }],
    ] as const) {
      const { page, problems } = await open(running.service.adminUrl, options)
      expect(await overflows(page)).toBe(false)
      // No text is cut on a phone: nothing scrolls sideways.
      expect(name === 'desk' ? [] : await page.evaluate(cut)).toEqual([])
      expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('5 things need attention')
      expect(problems).toEqual([])
      await keep(page, `status ${name}`)
      const { page: scripted } = await open(running.service.adminUrl, {
        ...options,
        bypassCSP: true,
        javaScriptEnabled: true,
      })
      expect(await violations(scripted)).toEqual([])
    }
  })
})

/** The text of each part of the page that is wider than its place. */
const cut = `[...document.querySelectorAll('.scroll, .trouble, td, code')]
  .filter((one) => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== 'inline')
  .map((one) => one.textContent)`

/** What axe-core finds wrong on the page. */
async function violations(page: Page): Promise<string[]> {
  const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
  await page.evaluate(axe)
  const found = await page.evaluate<{ violations: { id: string }[] }>('axe.run()')
  return found.violations.map(({ id }) => id)
}

/** Takes screenshots when a folder for them is named. */
async function keep(page: Page, name: string): Promise<void> {
  const folder = process.env['CROSSBILL_SCREENSHOTS']
  if (folder !== undefined)
    await page.screenshot({ path: `${folder}/${name.replaceAll(' ', '-')}.png`, fullPage: true })
}
