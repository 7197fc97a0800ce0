import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Plan } from '../../../src/plan/types.ts'
import type { Evidence } from '../../../src/cli/report/evidence.ts'
import { recordOf } from '../../../src/cli/report/rehearsal-record.ts'
import { loadCatalog } from '../../../src/catalog/load.ts'
import { present } from '../../../src/core/assert.ts'
import { rehearsal } from './sample.ts'

const saved = fileURLToPath(new URL('../../golden/projects/saved-plan/wave-01.plan.json', import.meta.url))

/** A plan with people in every outcome. */
export const plan = JSON.parse(readFileSync(saved, 'utf8')) as Plan

const project = `
project: formulation-school
accounts: { target: { sandbox: true }, us: { sandbox: true } }
`
const wave = (stage: string, ...ids: string[]): string => `
stage: ${stage}
subscribers:
${ids.map((id) => `  ${id}: { customer: cus_1, anchor: 2024-01-31T09:15:00Z, next_invoice: 2026-12-31T09:15:00Z, items: [{ price: monthly }] }`).join('\n')}
`
const { catalog, findings } = loadCatalog([
  { path: 'project.yaml', text: project },
  { path: 'products.yaml', text: 'products: { school: { name: School } }' },
  {
    path: 'prices.yaml',
    text: 'prices: { monthly: { product: school, currency: usd, unit_amount: 100, recurring: { interval: month } } }',
  },
  { path: 'mappings/us.yaml', text: 'prices: { price_1: monthly, price_2: monthly }' },
  { path: 'subscribers/us/wave-01.yaml', text: wave('target', 'sub_1', 'sub_2') },
  { path: 'subscribers/us/wave-02.yaml', text: wave('source', 'sub_3') },
])

/** A school in the middle of its migration. */
export function evidence(changed: Partial<Evidence> = {}): Evidence {
  const old = { source: 'us', currency: 'usd', interval: 'month', tax: 'unspecified' }
  return {
    tool: 'crossbill 0.1.0',
    at: '2026-12-01T12:00:00Z',
    catalog: present(catalog, JSON.stringify(findings)),
    plan,
    way: {
      at: '2026-12-01T12:00:00Z',
      people: 3,
      rows: [
        { state: 'arrived', people: 2, mrr: { usd: 100 }, subscribers: ['us/sub_1', 'us/sub_2'] },
        {
          state: 'needs',
          code: 'payment_method_unmapped',
          by: 'member',
          note: 'Let the member enter a card.',
          people: 1,
          mrr: { usd: 250 },
          subscribers: ['us/sub_3'],
        },
      ],
      undeclared: 0,
      everybody_by: '2026-12-01T12:00:00Z',
      cards: { asked: 1, opened: 0, entered: 0 },
    },
    standing: [],
    declines: { renewals: { of: 20, failed: 1 }, setups: { of: 2, failed: 0 }, sources: { of: 40, failed: 3 } },
    verified: { ok: true, checked: 36, ended: 0, accounts: {}, violations: [], notices: [] },
    doctor: { ok: true, findings: [] },
    copied: { sources: {}, findings: [] },
    monthly: new Map([
      ['us/sub_1', { amount: 100, currency: 'usd' }],
      ['us/sub_3', { amount: 250, currency: 'usd' }],
    ]),
    dates: new Map([
      [
        'us/sub_1',
        {
          successor: 'sub_9',
          moved: '2026-11-01T12:00:00Z',
          renewal: '2026-11-20T09:15:00Z',
          plan: 'a'.repeat(64),
          back: { possible: 'now' },
          settle: { possible: 'now' },
        },
      ],
      [
        'us/sub_2',
        {
          successor: 'sub_8',
          moved: '2026-11-08T12:00:00Z',
          renewal: '2026-12-31T09:15:00Z',
          plan: 'b'.repeat(64),
          back: { possible: 'no', code: 'changed_since_move' },
          settle: { possible: 'later', code: 'renewal_unproven', from: '2027-01-14T09:15:00Z' },
        },
      ],
    ]),
    applied: [
      {
        plan: 'a'.repeat(64),
        made: '2026-11-01T10:00:00Z',
        tool: 'crossbill 0.1.0',
        began: '2026-11-01T12:00:00Z',
        ended: '2026-11-01T12:01:00Z',
        result: 'proven',
        allowed: ['people_moved'],
        done: { move: 1, create: 6 },
      },
    ],
    oldPrices: [
      { ...old, id: 'price_1', amount: 100, people: 2 },
      { ...old, id: 'price_2', amount: 250, people: 1 },
      { ...old, id: 'price_3', amount: 100, people: 1 },
    ],
    endpoints: [
      {
        account: 'us',
        url: 'https://crm.school.example/stripe',
        status: 'enabled',
        events: ['customer.subscription.deleted'],
        isService: false,
      },
    ],
    rehearsals: [recordOf(rehearsal, 'crossbill 0.1.0', false)],
    identities: [{ kind: 'price', source: 'us', old_id: 'price_1', address: 'price.monthly', new_id: 'price_9' }],
    phases: new Map([
      ['us/sub_1', 'moved'],
      ['us/sub_2', 'moved'],
    ]),
    ...changed,
  }
}
