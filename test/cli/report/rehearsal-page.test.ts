import { describe, expect, it } from 'vitest'
import { rehearsalPage } from '../../../src/cli/report/rehearsal-page.ts'
import { began, rehearsal as report } from './sample.ts'

describe('the rehearsal report', () => {
  it('says first whether it would go well', async () => {
    const good = await rehearsalPage(report)
    expect(good).toContain('Nobody would notice.')
    const bad = await rehearsalPage({
      ...report,
      ok: false,
      counts: { ...report.counts, double: 1 },
      differences: [
        {
          code: 'double',
          subscriber: 'us/sub_2',
          at: began,
          detail: '49.00 usd in both',
          cause: 'the hold was lifted',
          remedy: 'crossbill verify',
        },
      ],
    })
    expect(bad).toContain('Do not migrate yet.')
    expect(bad).toContain('the hold was lifted')
    expect(bad).toContain('Charged twice: 1')
  })

  it('is one file that asks the network for nothing and runs nothing', async () => {
    const page = await rehearsalPage(report)
    expect(page).not.toMatch(/<script|<link|<img|@import|url\(/i)
    expect(page.match(/https?:\/\/[^"' <]+/g)?.filter((url) => !url.startsWith('http://www.w3.org/'))).toEqual([])
  })

  it('escapes what comes from outside', async () => {
    const page = await rehearsalPage(report)
    expect(page).toContain('ask for a card &lt;before&gt; the wave')
  })

  it('is the same text for the same run', async () => {
    expect(await rehearsalPage(report)).toBe(await rehearsalPage(report))
  })

  it('shows money exactly, in each currency’s own decimals', async () => {
    const page = await rehearsalPage(report)
    expect(page).toContain('29400.00 usd')
    expect(page).toContain('655000 jpy')
  })
})
