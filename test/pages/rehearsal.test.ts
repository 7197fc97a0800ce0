import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Browser } from 'playwright-core'
import { rehearsalPage } from '../../src/cli/report/rehearsal-page.ts'
import { rehearsal } from '../cli/report/sample.ts'
import { executablePath, openBrowser, openPage, overflows } from './browser.ts'

describe.skipIf(executablePath === undefined)('the rehearsal report in a browser', () => {
  const folder = mkdtempSync(join(tmpdir(), 'crossbill-page-'))
  const file = join(folder, 'rehearsal.html')
  let browser: Browser

  beforeAll(async () => {
    writeFileSync(file, await rehearsalPage(rehearsal))
    browser = await openBrowser()
  })
  afterAll(async () => {
    await browser.close()
    rmSync(folder, { recursive: true })
  })

  it.each([
    ['a desk', 1_280],
    ['a phone', 360],
  ])('reads well on %s: nothing is cut off, nothing is asked of the network', async (_, width) => {
    const { page, problems } = await openPage(browser, { width })
    await page.goto(`file://${file}`)
    expect(await page.locator('h1').innerText()).toBe('Migration rehearsal: 60 subscribers, 14 months')
    expect(await page.locator('.verdict strong').innerText()).toBe('Nobody would notice.')
    expect(await overflows(page)).toBe(false)
    expect(problems).toEqual([])
  })

  it('draws the charges a day: a bar for each day that had any, and one line', async () => {
    const { page } = await openPage(browser, { width: 1_280 })
    await page.goto(`file://${file}`)
    const plot = page.locator('figure svg').first()
    const box = await plot.boundingBox()
    expect(box?.width).toBeGreaterThan(600)
    expect(await plot.locator('.mark-rect path').count()).toBe(rehearsal.days.length)
    expect(await plot.locator('.mark-line path').count()).toBe(1)
  })

  it('is understood without the pictures: each has words and a table beside it', async () => {
    const { page } = await openPage(browser, { width: 1_280 })
    await page.goto(`file://${file}`)
    for (const figure of await page.locator('figure').all())
      expect(await figure.getAttribute('aria-label')).toMatch(/\w+ .*table/)
    expect(await page.locator('table th[scope=col]').count()).toBeGreaterThan(8)
    expect(await page.locator('html').getAttribute('lang')).toBe('en')
  })

  it('prints: everything that is folded is on the paper', async () => {
    const { page } = await openPage(browser, { width: 1_280 })
    await page.goto(`file://${file}`)
    await page.emulateMedia({ media: 'print' })
    expect(await overflows(page)).toBe(false)
    const folded = await page.locator('details:not([open]) table').first().boundingBox()
    expect(folded?.height).toBeGreaterThan(30)
    expect((await page.pdf({ format: 'A4' })).length).toBeGreaterThan(20_000)
  })
})
