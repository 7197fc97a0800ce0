import { describe, expect, it } from 'vitest'
import { rehearsalPage } from '../../src/cli/report/rehearsal-page.ts'
import { rehearsal } from '../cli/report/sample.ts'
import { barriers } from './accessible.ts'
import { documentInBrowser, executablePath, overflows } from './browser.ts'

describe.skipIf(executablePath === undefined)('the rehearsal report in a browser', () => {
  const open = documentInBrowser(() => rehearsalPage(rehearsal))

  it.each([
    ['a desk', 1_280],
    ['a phone', 360],
  ])('is readable on %s: nothing is cut off, nothing is requested from the network', async (_, width) => {
    const { page, problems } = await open({ width })
    expect(await page.locator('h1').innerText()).toBe('Migration rehearsal: 60 subscribers, 14 months')
    expect(await page.locator('.verdict strong').innerText()).toMatch(/^No subscriber would notice\. 1 of 60/)
    expect(await overflows(page)).toBe(false)
    expect(problems).toEqual([])
    expect(await barriers(page)).toEqual([])
  })

  it.each([
    ['a desk', 1_280, '.wide', '.narrow', 600],
    ['a phone', 390, '.narrow', '.wide', 300],
  ])(
    'draws the charges per day on %s: a bar for each day with charges, one layer of caps, readable labels',
    async (_, width, shown, hidden, least) => {
      const { page } = await open({ width })
      const figure = page.locator('figure').first()
      expect(await figure.locator(`svg${hidden}`).isVisible()).toBe(false)
      const plot = figure.locator(`svg${shown}`)
      expect((await plot.boundingBox())?.width).toBeGreaterThan(least)
      expect(await plot.locator('.bars rect').count()).toBe(
        rehearsal.days.filter(({ expected }) => expected > 0).length,
      )
      expect(await plot.locator('path.caps').count()).toBe(1)
      const label = await plot.locator('.axis text').last().boundingBox()
      expect(label?.height).toBeGreaterThan(10)
    },
  )

  it('shows the numbers of a day under the pointer, and a band for each wave', async () => {
    const { page } = await open({ width: 1_280 })
    const plot = page.locator('figure svg.wide').first()
    expect(await plot.locator('.hover title').nth(1).textContent()).toBe('2026-12-02: 7 without migration, 7 with it')
    expect(await plot.locator('.bands rect').count()).toBe(rehearsal.waves.length)
    expect(await plot.locator('.differs circle').count()).toBe(0)
  })

  it('is complete without the plots: each has words and a table beside it', async () => {
    const { page } = await open({ width: 1_280 })
    for (const figure of await page.locator('figure').all())
      expect(await figure.getAttribute('aria-label')).toMatch(/\w+ .*table/)
    expect(await page.locator('table th[scope=col]').count()).toBeGreaterThan(8)
    expect(await page.locator('html').getAttribute('lang')).toBe('en')
  })

  it('prints all folded parts', async () => {
    const { page } = await open({ width: 1_280 })
    await page.emulateMedia({ media: 'print' })
    expect(await overflows(page)).toBe(false)
    const folded = await page.locator('details:not([open]) table').first().boundingBox()
    expect(folded?.height).toBeGreaterThan(30)
    expect((await page.pdf({ format: 'A4' })).length).toBeGreaterThan(20_000)
  })
})
