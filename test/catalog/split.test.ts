import { describe, expect, test } from 'vitest'
import type { Wave } from '../../src/plan/waves.ts'
import { splitFiles } from '../../src/pull/split.ts'

const basis: readonly (readonly [string, string])[] = [
  ['project.yaml', 'project: a\naccounts: { target: { sandbox: true }, us: { sandbox: true } }\n'],
  ['products.yaml', 'products: { school: { name: School } }\n'],
  [
    'prices.yaml',
    'prices: { monthly: { product: school, currency: usd, unit_amount: 100, recurring: { interval: month } } }\n',
  ],
]
const terms = 'customer: cus_1, anchor: 2026-01-31T09:15:00Z, items: [{ price: monthly }]'

const written = (...files: (readonly [string, string])[]): ReadonlyMap<string, string> => new Map([...basis, ...files])

function wave(name: string, ...ids: string[]): Wave {
  return {
    file: `subscribers/us/${name}.yaml`,
    rule: 'renewal',
    people: ids.length,
    mrr: {},
    renewals: null,
    risks: {},
    subscribers: ids.map((id) => `us/${id}`),
  }
}

describe('entries move into the files of their waves', () => {
  const before = written([
    'subscribers/us/wave-01.yaml',
    `# my wave
stage: source
subscribers:
  # asked by mail
  sub_1: { ${terms} } # keep
  sub_2:
    # annual in truth
    customer: cus_2
    anchor: 2026-01-31T09:15:00Z
    items: &usual [{ price: monthly }]
  sub_3: { customer: cus_3, anchor: 2026-01-31T09:15:00Z, items: *usual }
`,
  ])

  test('with their comments, and with the values of their aliases', () => {
    const split = splitFiles(before, [wave('pilot', 'sub_1', 'sub_3'), wave('wave-01', 'sub_2')])
    const pilot = split?.written.get('subscribers/us/pilot.yaml') ?? ''
    expect(pilot).toContain('# Wave by rule: renewal.')
    expect(pilot).toContain('# asked by mail')
    expect(pilot).toContain('# keep')
    expect(pilot).toContain('price: monthly')
    expect(pilot).not.toContain('*usual')
    const rest = split?.written.get('subscribers/us/wave-01.yaml') ?? ''
    expect(rest).toContain('# annual in truth')
    expect(rest).not.toContain('sub_1')
    expect(rest).not.toContain('asked by mail')
    expect(split?.emptied).toEqual([])
  })

  test('a file without entries is given up, and a second run changes nothing', () => {
    const waves = [wave('wave-02', 'sub_1', 'sub_2', 'sub_3')]
    const split = splitFiles(before, waves)
    expect(split?.emptied).toEqual(['subscribers/us/wave-01.yaml'])
    const after = new Map([...before, ...(split?.written ?? [])])
    after.delete('subscribers/us/wave-01.yaml')
    const again = splitFiles(after, waves)
    expect([again?.written.size, again?.emptied]).toEqual([0, []])
  })

  test('an entry in a file with a later stage would change its meaning, so nothing is written', () => {
    const moved = written(['subscribers/us/wave-01.yaml', `stage: target\nsubscribers:\n  sub_1: { ${terms} }\n`])
    expect(splitFiles(moved, [wave('wave-02', 'sub_1')])).toBeUndefined()
  })
})
