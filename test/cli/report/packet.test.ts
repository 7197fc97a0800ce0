import { inStage } from '../../../src/catalog/subscribers.ts'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import type { Plan } from '../../../src/plan/types.ts'
import { documentHtml, documentMarkdown, type Document } from '../../../src/cli/report/document.ts'
import type { Evidence } from '../../../src/cli/report/evidence.ts'
import { packet } from '../../../src/cli/report/packet.ts'
import { loadCatalog } from '../../../src/catalog/load.ts'
import { present } from '../../../src/core/assert.ts'

const saved = fileURLToPath(new URL('../../golden/projects/saved-plan/wave-01.plan.json', import.meta.url))
const plan = JSON.parse(readFileSync(saved, 'utf8')) as Plan

const project = `
project: formulation-school
accounts: { target: { sandbox: true }, us: { sandbox: true } }
`
const wave = (stage: string, ...ids: string[]): string => `
stage: ${stage}
subscribers:
${ids.map((id) => `  ${id}: { customer: cus_1, anchor: 2024-01-31T09:15:00Z, items: [{ price: monthly }] }`).join('\n')}
`
const { catalog, findings } = loadCatalog([
  { path: 'project.yaml', text: project },
  { path: 'products.yaml', text: 'products: { school: { name: School } }' },
  {
    path: 'prices.yaml',
    text: 'prices: { monthly: { product: school, currency: usd, unit_amount: 100, recurring: { interval: month } } }',
  },
  { path: 'subscribers/us/wave-01.yaml', text: wave('target', 'sub_1', 'sub_2') },
  { path: 'subscribers/us/wave-02.yaml', text: wave('source', 'sub_3') },
])

function evidence(changed: Partial<Evidence> = {}): Evidence {
  return {
    tool: 'crossbill 0.1.0',
    at: '2026-12-01T12:00:00Z',
    catalog: present(catalog, JSON.stringify(findings)),
    plan,
    standing: [],
    verified: { ok: true, checked: 36, accounts: {}, violations: [], notices: [] },
    doctor: { ok: true, findings: [] },
    copied: { sources: {}, findings: [] },
    identities: [{ kind: 'price', source: 'us', old_id: 'price_1', address: 'price.monthly', new_id: 'price_9' }],
    phases: new Map([
      ['us/sub_1', 'moved'],
      ['us/sub_2', 'moved'],
    ]),
    ...changed,
  }
}

function document(slug: string, of: Evidence): Document {
  return present(
    packet(of).find((one) => one.slug === slug),
    slug,
  )
}

describe('the evidence packet', () => {
  test('names every deferred or blocked subscriber with the code', () => {
    const text = documentMarkdown(document('migration-plan', evidence()))
    for (const member of [...plan.deferred, ...plan.blocked]) {
      expect(text).toContain(`\`${member.address.replace('subscriber.', '')}\``)
      expect(text).toContain(`\`${member.code}\``)
    }
    expect(text).toContain('| `subscribers/us/wave-01.yaml` | 0 | 2 | 0 | 0 |')
  })

  test('ticks a box of the checklist only when the accounts were read', () => {
    const boxes = (of: Evidence): string[] =>
      documentMarkdown(document('cutover-checklist', of))
        .split('\n')
        .filter((line) => line.startsWith('- ['))
    expect(boxes(evidence())).toContain('- [ ] 6 changes of the catalog to apply: `crossbill apply`.')
    expect(boxes(evidence())).toContain('- [x] `subscribers/us/wave-01.yaml` moved (0 remaining)')
    expect(boxes(evidence())).toContain('- [ ] `subscribers/us/wave-02.yaml` moved (1 remaining)')
    expect(boxes(evidence())).toContain('- [x] No door is open.')
    const nothingOpen = evidence({ plan: { ...plan, changes: [], blocked: [] } })
    expect(boxes(nothingOpen)).toContain('- [x] The catalog is in the target.')
    const door = {
      check: 'portal',
      status: 'warning',
      account: 'us',
      message: 'lets members cancel',
      fix: 'Close it',
    } as const
    expect(boxes(evidence({ doctor: { ok: true, findings: [door] } }))).toContain(
      '- [ ] us: `portal` lets members cancel. Close it',
    )
  })

  test('does not count a stage that is written but not applied', () => {
    const stage = (written: 'source' | 'settled'): Evidence => {
      const of = evidence()
      const subscribers = of.catalog.subscribers.map((one) => inStage(one, written))
      return { ...of, catalog: { ...of.catalog, subscribers } }
    }
    for (const of of [stage('settled'), stage('source')]) {
      expect(documentMarkdown(document('rollback', of))).toContain('| `subscribers/us/wave-01.yaml` | 2 | 0 |')
      const boxes = documentMarkdown(document('cutover-checklist', of))
      expect(boxes).toContain('- [x] `subscribers/us/wave-01.yaml` moved (0 remaining)')
      expect(boxes).toContain('- [ ] `subscribers/us/wave-01.yaml` settled (2 remaining)')
    }
  })

  test('does not count subscribers who have left or are excluded with a reason as remaining', () => {
    const of = evidence({
      phases: new Map([
        ['us/sub_1', 'settled'],
        ['us/sub_2', 'ended'],
      ]),
    })
    const subscribers = of.catalog.subscribers.map((one) =>
      one.key === 'us/sub_3' ? { ...one, excluded: 'pays by bank transfer' } : one,
    )
    const boxes = documentMarkdown(document('cutover-checklist', { ...of, catalog: { ...of.catalog, subscribers } }))
    for (const wave of ['wave-01', 'wave-02'])
      for (const what of ['moved', 'settled'])
        expect(boxes).toContain(`- [x] \`subscribers/us/${wave}.yaml\` ${what} (0 remaining)`)
  })

  test('does not count subscribers who ended in the old account before the move, but counts those in the plan', () => {
    const [waiting] = plan.deferred
    const of = evidence({ phases: new Map([['us/sub_1', 'moved']]) })
    const line = (deferred: Plan['deferred']): string =>
      documentMarkdown(document('migration-plan', { ...of, plan: { ...plan, changes: [], blocked: [], deferred } }))
    expect(line([])).toContain('| `subscribers/us/wave-01.yaml` | 0 | 1 | 0 | 1 |')
    const named = { ...present(waiting, 'somebody who waits'), address: 'subscriber.us/sub_2' }
    expect(line([named])).toContain('| `subscribers/us/wave-01.yaml` | 1 | 1 | 0 | 0 |')
  })

  test('lists violations with their fixes', () => {
    const violation = { code: 'double_payer', subscriber: 'us/sub_1', detail: 'two <payers>', fix: 'hold one' } as const
    const of = evidence({ verified: { ok: false, checked: 36, accounts: {}, violations: [violation], notices: [] } })
    expect(documentMarkdown(document('verification', of))).toContain(
      '| `double_payer` | `us/sub_1` | two <payers> | hold one |',
    )
    expect(documentHtml(document('verification', of))).toContain('<code>double_payer</code>')
    expect(documentHtml(document('verification', of))).toContain('two &lt;payers&gt;')
  })

  test('has the same cells in Markdown and HTML', () => {
    for (const one of packet(evidence())) {
      const page = documentHtml(one)
      expect(page).toContain(`<h1>${one.title}</h1>`)
      for (const section of one.sections) expect(page).toContain(section.heading.replaceAll('"', '&quot;'))
      expect(documentMarkdown(one).startsWith(`# ${one.title}\n`)).toBe(true)
    }
  })
})
