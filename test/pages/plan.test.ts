import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { planHtml } from '../../src/cli/report/plan-page.ts'
import type { Plan } from '../../src/plan/types.ts'
import { root } from '../house/sources.ts'
import { documentInBrowser, executablePath, overflows } from './browser.ts'

const saved = join(root, 'test/golden/projects/saved-plan/wave-01.plan.json')
const plan = JSON.parse(readFileSync(saved, 'utf8')) as Plan

describe('a plan as one file', () => {
  it('asks nothing of the network, and holds names of other people as text', () => {
    const evil = '<script>alert(1)</script>'
    const [first] = plan.changes
    const text = planHtml({
      ...plan,
      changes: first === undefined ? [] : [{ ...first, because: [evil], address: `product.${evil}` }],
      blocked: [{ address: 'us/sub_1', code: 'x', message: evil, fix: evil }],
    })
    expect(text).not.toContain('<script')
    expect(text).toContain('&lt;script&gt;')
    expect(text).not.toMatch(/src=|href=/)
  })
})

describe.skipIf(executablePath === undefined)('a plan in a browser', () => {
  const open = documentInBrowser(() => planHtml(plan))

  it.each([
    ['a desk', 1_280],
    ['a phone', 390],
  ])('reads well on %s: the verdict first, nothing cut off', async (_, width) => {
    const { page, problems } = await open({ width })
    expect(await page.locator('.verdict').innerText()).toContain('Stopped: 1 guard')
    const [verdict, people, catalog] = await Promise.all(
      ['.verdict', 'summary:has-text("To move (3)")', 'summary:has-text("Catalog (6)")'].map(
        async (what) => (await page.locator(what).boundingBox())?.y ?? 0,
      ),
    )
    expect([verdict, people, catalog].toSorted((a = 0, b = 0) => a - b)).toEqual([verdict, people, catalog])
    expect(await overflows(page)).toBe(false)
    expect(problems).toEqual([])
  })
})
