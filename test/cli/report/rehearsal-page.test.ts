import { describe, expect, it } from 'vitest'
import { rehearsalPage } from '../../../src/cli/report/rehearsal-page.ts'
import { began, rehearsal as report } from './sample.ts'

describe('the rehearsal report', () => {
  it('begins with the verdict', async () => {
    const good = rehearsalPage(report)
    expect(good).toContain('No subscriber would notice.')
    expect(good).toContain('No subscriber would notice. 1 of 60 subscribers was not moved and needs a decision.')
    const bad = rehearsalPage({
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
    expect(bad).toContain('One charge was made twice.')
  })

  it('groups differences by cause: one line for each subscriber, however many charges differ', async () => {
    const one = { code: 'missed', at: began, detail: '49.00 usd expected, charged by nobody', remedy: 'ask' } as const
    const page = rehearsalPage({
      ...report,
      differences: [
        { ...one, subscriber: 'us/sub_2', cause: 'the first cause' },
        { ...one, subscriber: 'us/sub_2', cause: 'the first cause' },
        { ...one, subscriber: 'us/sub_3', cause: 'the first cause', evidence: 'seen only here' },
        { ...one, subscriber: 'us/sub_4', cause: 'the second cause' },
      ],
    })
    expect(page.match(/the first cause/g)).toHaveLength(1)
    expect(page.match(/us\/sub_2/g)).toHaveLength(1)
    expect(page).toContain('Not charged: 2 subscribers, 3 charges')
    expect(page).toContain('seen only here')
    expect(page).toContain('Not charged: one subscriber<')
  })

  it('separates subscribers who need a decision, who wait, and who are moved', async () => {
    const [blocked] = report.standing
    if (blocked === undefined) throw new Error('the sample has somebody blocked')
    const page = rehearsalPage({
      ...report,
      standing: [
        blocked,
        { ...blocked, subscriber: 'us/sub_5', outcome: 'deferred', code: 'renews_soon' },
        { ...blocked, subscriber: 'us/sub_6', outcome: 'deferred', code: 'renewal_unproven', moved: true },
      ],
    })
    expect(page).toContain('Need a decision: 1')
    expect(page).toContain('Move later by themselves: 1')
    expect(page).toContain('Moved, with the old subscription not cancelled yet: 1')
  })

  it('is one file that requests nothing from the network and runs no script', async () => {
    const page = rehearsalPage(report)
    expect(page).not.toMatch(/<script|<link|<img|@import|url\(/i)
    expect(page.match(/https?:\/\/[^"' <]+/g)?.filter((url) => !url.startsWith('http://www.w3.org/'))).toEqual([])
  })

  it('escapes foreign text', async () => {
    const page = rehearsalPage(report)
    expect(page).toContain('ask for a card &lt;before&gt; the wave')
  })

  it('is the same text for the same run', async () => {
    expect(rehearsalPage(report)).toBe(rehearsalPage(report))
  })

  it('shows exact amounts, in each currency’s own decimals', async () => {
    const page = rehearsalPage(report)
    expect(page).toContain('29,400.00 usd')
    expect(page).toContain('655,000 jpy')
  })
})
