import { describe, expect, it } from 'vitest'
import { rehearsalPage } from '../../../src/cli/report/rehearsal-page.ts'
import { instant } from '../../../src/core/instant.ts'
import type { RehearsalReport } from '../../../src/engine/rehearsal-report.ts'

const began = instant(1_796_083_200)

export const report: RehearsalReport = {
  seed: 7,
  months: 14,
  subscribers: 60,
  ok: true,
  began,
  ended: instant(began + 426 * 86_400),
  counts: { expected: 731, actual: 731, double: 0, missed: 0, amount_differs: 0, date_differs: 0 },
  currencies: [
    { currency: 'usd', expected: { charges: 600, amount: 2_940_000 }, actual: { charges: 600, amount: 2_940_000 } },
    { currency: 'jpy', expected: { charges: 131, amount: 655_000 }, actual: { charges: 131, amount: 655_000 } },
  ],
  days: Array.from({ length: 60 }, (_, index) => {
    const day = new Date((began + index * 86_400) * 1_000).toISOString().slice(0, 10)
    return { day, expected: (index * 7) % 11, actual: (index * 7) % 11 }
  }),
  waves: [
    { name: 'us/wave-01', people: 20, movedAt: instant(began + 86_400), settledAt: instant(began + 60 * 86_400) },
    { name: 'intl/wave-01', people: 12, movedAt: instant(began + 7 * 86_400) },
  ],
  differences: [],
  standing: [
    {
      subscriber: 'us/sub_1',
      outcome: 'blocked',
      code: 'payment_method_not_copyable',
      message: 'Link is not copied by Stripe',
      fix: 'ask for a card <before> the wave',
    },
  ],
  declines: { expected: 12, actual: 12 },
  dunning: { expected: 3, actual: 3 },
  faults: [],
}

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
