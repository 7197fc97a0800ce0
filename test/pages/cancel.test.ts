import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { signLink } from '../../src/cancel/link.ts'
import { instant } from '../../src/core/instant.ts'
import { linkSecret, now, runService, type Running } from '../server/service.ts'
import { executablePath, inBrowser, overflows } from './browser.ts'

const link = (expires = now + 600): string =>
  signLink(
    { subscriber: 'us/sub_1', offer: 'membership', expires: instant(expires), id: 'link-1' },
    Buffer.from(linkSecret, 'base64'),
  )

describe.skipIf(executablePath === undefined)('the member’s cancel page in a browser', () => {
  const openAt = inBrowser()
  let running: Running

  beforeEach(async () => {
    running = await runService()
  })
  afterEach(() => running.service.close())

  const open = (device: Parameters<typeof openAt>[1]): ReturnType<typeof openAt> =>
    openAt(`${running.service.url}/cancel/${link()}`, device)

  it.each([
    ['on a phone, without JavaScript', { width: 320, javaScript: false }],
    ['at a desk', { width: 1_280 }],
  ])('asks once and confirms %s', async (_, options) => {
    const { page, problems } = await open(options)
    const button = page.getByRole('button')
    expect(await button.count()).toBe(1)
    expect(await page.locator('body').innerText()).toContain('This ends Formulation Membership.')
    expect(running.signals).toEqual([])
    await button.click()
    await page.getByText('Your cancellation is in progress').first().waitFor()
    expect(await page.locator('body').innerText()).toContain('Your cancellation is in progress')
    expect(running.signals).toMatchObject([{ source: 'link', subscriber: 'us/sub_1' }])
    expect(problems).toEqual([])
  })

  it('pressed in two tabs, pressed twice, after Back and reload, it cancels once and shows the state', async () => {
    const [one, two] = [await open({ width: 800 }), await open({ width: 800 })]
    for (const { page } of [one, two]) {
      await page.getByRole('button').dblclick()
      await page.getByText('Your cancellation is in progress').first().waitFor()
    }
    await one.page.reload()
    await one.page.goBack()
    await one.page.getByText('Your cancellation is in progress').first().waitFor()
    expect(await one.page.getByRole('button').count()).toBe(0)
    running.pressed.set('link-1', 'done')
    await two.page.getByRole('link', { name: 'Check whether it is done' }).click()
    await two.page.getByText('Your membership is cancelled').first().waitFor()
    expect(running.signals).toHaveLength(1)
  })

  it('works with the keyboard only, and shows the focus', async () => {
    const { page } = await open({ width: 800 })
    for (let presses = 0; presses < 5; presses++) {
      await page.keyboard.press('Tab')
      if ((await page.evaluate<string>('document.activeElement?.tagName ?? ""')) === 'BUTTON') break
    }
    const outline = await page.evaluate<string>('getComputedStyle(document.activeElement).outlineStyle')
    expect(outline).not.toBe('none')
    await page.keyboard.press('Enter')
    await page.getByText('Your cancellation is in progress').first().waitFor()
    expect(running.signals).toHaveLength(1)
  })

  it('supports a screen reader: a language, one main heading, a landmark, names on all controls', async () => {
    const { page } = await open({ width: 800 })
    expect(await page.locator('html').getAttribute('lang')).toBe('en')
    expect(await page.locator('h1').count()).toBe(1)
    expect(await page.locator('main').count()).toBe(1)
    expect(await page.getByRole('button', { name: /cancel|end/i }).count()).toBe(1)
  })

  it('fits a small phone, even with large letters', async () => {
    const { page } = await open({ width: 320 })
    expect(await overflows(page)).toBe(false)
    await page.evaluate("document.documentElement.style.fontSize = '200%'")
    expect(await overflows(page)).toBe(false)
  })

  it('explains that a link has expired, and changes nothing', async () => {
    const { page, status } = await openAt(`${running.service.url}/cancel/${link(now - 1)}`, { width: 800 })
    expect(status).toBeGreaterThanOrEqual(400)
    expect(await page.getByRole('button').count()).toBe(0)
    expect(running.signals).toEqual([])
  })
})
