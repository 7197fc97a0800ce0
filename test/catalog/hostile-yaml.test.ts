import { describe, expect, test } from 'vitest'
import { readYaml } from '../../src/catalog/yaml-file.ts'
import { load, places, pricesYaml } from './project.ts'

function rules(text: string): readonly string[] {
  const reading = readYaml('x.yaml', text)
  return 'findings' in reading ? reading.findings.map(({ rule, at }) => `${at?.line}:${at?.column} ${rule}`) : []
}

describe('text that is not one plain tree is refused with its position', () => {
  test.each([
    ['a broken line', 'prices:\n  a: [1, 2\n  b: 3\n', '3:3 yaml-syntax'],
    ['a tab as indent', 'prices:\n\ta: 1\n', '2:1 yaml-syntax'],
    ['two documents', 'a: 1\n---\nb: 2\n', '2:1 yaml-documents'],
    ['a NUL', 'a: 1\nb: \0\n', '2:4 not-text'],
    ['another encoding', 'a: 1\nb: caf\uFFFD\n', '2:7 not-text'],
    ['an unknown tag', 'a: !!js/function x\n', '1:4 yaml-form'],
    ['a map as key', '{ a: 1 }: 2\n', '1:1 yaml-syntax'],
    ['a key said twice', 'a:\n  b: 1\n  c: 2\n  "b": 3\n', '4:3 duplicate-key'],
    ['a hundred levels', `${'['.repeat(100)}${']'.repeat(100)}`, '1:66 too-deep'],
  ])('%s', (_name, text, finding) => {
    expect(rules(text)).toContain(finding)
  })

  test.each(['['.repeat(20_000), `${'- '.repeat(10_000)}x`, '{a: '.repeat(50_000)])(
    'nesting deeper than the parser’s stack',
    (text) => {
      const found = rules(text)
      expect(found.length).toBeGreaterThan(0)
      expect(found.length).toBeLessThanOrEqual(10)
      expect(found[0]).toContain('yaml-syntax')
    },
  )

  test('aliases of aliases are not expanded', () => {
    const bomb = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]']
    for (let i = 1; i < 12; i++)
      bomb.push(`a${i}: &a${i} [${Array.from({ length: 10 }, () => `*a${i - 1}`).join(', ')}]`)
    expect(rules(bomb.join('\n'))).toEqual(['1:1 too-many-aliases'])
  })

  test('a file of 40 MB is refused before it is read', () => {
    expect(rules(`a: "${'x'.repeat(40 * 1_024 * 1_024)}"`)).toEqual(['1:1 file-too-large'])
  })

  test('a key named __proto__ is an ordinary unknown key', () => {
    const loaded = load({ 'prices.yaml': `${pricesYaml}    __proto__: { polluted: yes }\n` })
    expect(places(loaded)).toEqual(['prices.yaml:7:5 unknown-key'])
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })
})

describe('unusual but valid text is read', () => {
  test('a byte order mark, emoji and right-to-left names', () => {
    const { catalog, findings } = load({
      'products.yaml': '\uFEFFproducts:\n  membership: { name: "🧴 Pro · עברית" }\n',
    })
    expect(findings).toEqual([])
    expect(catalog?.resources.find(({ key }) => key === 'membership')?.value).toEqual({ name: '🧴 Pro · עברית' })
  })

  test('columns count characters as editors do, even after emoji', () => {
    const loaded = load({ 'products.yaml': 'products:\n  membership: { description: "🧴", nam: x, name: y }\n' })
    expect(places(loaded)).toEqual(['products.yaml:2:36 unknown-key'])
  })

  test('Windows line ends and an empty file', () => {
    expect(load({ 'prices.yaml': pricesYaml.replaceAll('\n', '\r\n'), 'coupons.yaml': '' }).findings).toEqual([])
  })

  test('anchors and aliases for what repeats', () => {
    const text =
      'prices:\n  a: &a { product: membership, currency: usd, unit_amount: 1, recurring: &r { interval: month } }\n  b: { product: membership, currency: usd, unit_amount: 2, recurring: *r }\n'
    expect(load({ 'prices.yaml': text }).catalog?.resources.filter(({ kind }) => kind === 'price')).toHaveLength(2)
  })
})
