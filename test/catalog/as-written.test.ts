import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Json } from '../../src/core/json.ts'
import { readPlainYaml } from '../../src/catalog/plain-yaml.ts'
import { readYaml } from '../../src/catalog/yaml-file.ts'
import { YamlText } from '../../src/catalog/yaml-text.ts'
import { loadCatalog } from '../../src/catalog/load.ts'
import { files, load, places } from './project.ts'

const found = (text: string): readonly string[] => {
  const reading = readYaml('a.yaml', text)
  return 'findings' in reading
    ? reading.findings.map(({ rule, at, message }) => `${at?.line}:${at?.column} ${rule}: ${message}`)
    : []
}
const valueOf = (text: string): Json | undefined => {
  const reading = readYaml('a.yaml', text)
  return 'file' in reading ? reading.file.value : undefined
}

describe('numbers in YAML', () => {
  const price = (amount: string): readonly string[] =>
    places(
      load({
        'prices.yaml': `prices:\n  m:\n    product: membership\n    currency: usd\n    unit_amount: ${amount}\n`,
      }),
    )

  test.each(['4900', '0'])('%s is exactly that amount', (text) => {
    expect(price(text)).toEqual([])
  })

  test.each([
    ['49.00', 'number-form'],
    ['4900.0', 'number-form'],
    ['4.9e3', 'yaml-form'],
    ['4900e0', 'yaml-form'],
    ['0x1324', 'yaml-form'],
    ['0o11444', 'yaml-form'],
    ['04900', 'yaml-form'],
    ['+4900', 'yaml-form'],
    ['4900.', 'yaml-form'],
    ['-0', 'yaml-form'],
    ['.inf', 'yaml-form'],
    ['9007199254740993', 'yaml-form'],
    ['1_000', 'wrong-type'],
    ['4,900', 'wrong-type'],
    ['"4900"', 'wrong-type'],
    ['49.5', 'wrong-type'],
    ['~', 'wrong-type'],
    ['!!int "4900"', 'yaml-form'],
    ['! 4900', 'yaml-form'],
  ])('%s is refused with its position', (text, rule) => {
    expect(price(text)[0]).toMatch(new RegExp(`^prices\\.yaml:5:1[89] ${rule}$`))
  })

  test('are also checked in flow collections, behind aliases and in tiers', () => {
    const tiers = 'tiers: [{ up_to: 2, unit_amount: 10.00 }, { up_to: inf, unit_amount: 5 }]'
    const text = `prices:\n  m: { product: membership, currency: usd, billing_scheme: tiered, tiers_mode: volume, ${tiers} }\n  n: { product: membership, currency: usd, unit_amount: &a 7.0 }\n  o: { product: membership, currency: usd, unit_amount: *a }\n`
    expect(places(load({ 'prices.yaml': text })).filter((one) => one.includes('number-form'))).toHaveLength(3)
  })

  test('a percentage may have decimals or not', () => {
    const rates = (percentage: string): readonly string[] =>
      places(
        load({ 'r.yaml': `tax_rates:\n  r: { display_name: VAT, percentage: ${percentage}, inclusive: false }\n` }),
      )
    expect(rates('19.00')).toEqual([])
    expect(rates('8.875')).toEqual([])
    expect(rates('0.12345678901234567890123')[0]).toContain('yaml-form')
  })
})

test('one bad entry stops that entry only: an amount in a wrong form leaves out its price', () => {
  const price = (amount: string): string => `{ product: membership, currency: usd, unit_amount: ${amount} }`
  const text = `prices:\n  a: ${price('49.00')}\n  b: ${price('4.9e3')}\n  c: ${price('4900')}\n`
  const { catalog, findings } = loadCatalog(files({ 'prices.yaml': text }), 'entries')
  expect(findings.map(({ rule, at }) => `${rule} ${at?.line}`)).toEqual(['number-form 2', 'yaml-form 3'])
  expect(catalog?.resources.filter(({ kind }) => kind === 'price').map(({ key }) => key)).toEqual(['c'])
  expect(catalog?.leftOut?.entries.map(({ address }) => address)).toEqual(['price.a', 'price.b'])
})

describe('keys in YAML', () => {
  test('a key keeps its spelling in both readers', () => {
    expect(valueOf('1e3: 1\n0123: 2\n0x10: 3\nnull: 4\nTrue: 5\nyes: 6\n~: 7\n1.0: 8\n1000: 9\n')).toEqual({
      '1e3': 1,
      '0123': 2,
      '0x10': 3,
      null: 4,
      True: 5,
      yes: 6,
      '~': 7,
      '1.0': 8,
      '1000': 9,
    })
    expect(valueOf('a: { 1e3: 1, 007: 2 }')).toEqual({ a: { '1e3': 1, '007': 2 } })
  })

  test('a metadata or entry key that looks like a number stays a key, with its position', () => {
    const loaded = load({ 'products.yaml': 'products:\n  membership: { name: M, metadata: { 1e3: a, 0123: b } }\n' })
    const product = loaded.catalog?.resources.find(({ kind }) => kind === 'product')
    expect(product?.value['metadata']).toEqual({ '1e3': 'a', '0123': 'b' })
    const wrong = load({ 'prices.yaml': 'prices:\n  1e3: { product: membership, nonsense: 1 }\n' })
    expect(wrong.findings.map(({ message }) => message).join('; ')).toContain('"1e3"')
    expect(places(wrong)[0]).toMatch(/^prices\.yaml:2:/)
  })

  test('an edited file keeps the keys that it has', () => {
    const text = new YamlText('prices:\n  1e3: { a: 1 }\n  0123: { b: 2 }\n', 'header')
    expect([text.has('prices', '1e3'), text.has('prices', '1000'), text.has('prices', '0123')]).toEqual([
      true,
      false,
      true,
    ])
    text.set('prices', '0123', 'b', 3)
    expect(valueOf(text.text() ?? '')).toEqual({ prices: { '1e3': { a: 1 }, '0123': { b: 3 } } })
  })

  test('an empty key, a collection as a key and a merge key are refused', () => {
    expect(found(': 1')[0]).toContain('yaml-syntax')
    expect(found('? [a]\n: 1')[0]).toContain('yaml-syntax')
    expect(found('a: &x { b: 1 }\nc:\n  <<: *x\n  d: 2\n')).toEqual([
      '3:3 yaml-form: the merge key << is not supported',
    ])
  })
})

describe('forms that another reader would understand differently are refused by name', () => {
  test.each([
    ['a: !!omap [{ x: 1 }]', '1:4 yaml-form: the tag !!omap is not supported'],
    ['a: !!set { x }', '1:4 yaml-form: the tag !!set is not supported'],
    ['a:\n  - b\n  - !!binary "aGk="', '3:5 yaml-form: the tag !!binary is not supported'],
    ['a: !own 1', '1:4 yaml-form: the tag !own is not supported'],
    ['!!map\na: 1', '1:1 yaml-form: the tag !!map is not supported'],
    ['a: !<tag:yaml.org,2002:str> 1', '1:4 yaml-form: the tag !<tag:yaml.org,2002:str> is not supported'],
    ['%YAML 1.1\n---\na: yes\n', '1:1 yaml-form: the directive %YAML 1.1 is not supported'],
    ['%TAG ! tag:x,2000:\n---\na: 1\n', '1:1 yaml-form: the directive %TAG ! tag:x,2000: is not supported'],
    ['a: 1\rb: 2', '1:5 yaml-form: a carriage return without a line feed'],
  ])('%j', (text, first) => {
    expect(found(text)[0]).toBe(first)
  })

  test('several documents in one file and repeated keys are refused', () => {
    expect(found('a: 1\n---\nb: 2\n')[0]).toContain('yaml-documents')
    expect(found('1e3: 1\n1e3: 2\n')[0]).toContain('duplicate-key')
  })

  test('characters that only look like these forms are text', () => {
    expect(valueOf('a: "!!omap"\nb: wow!\nc: |\n  !set\n  %YAML 1.1\nd: 50 %\n# !!set\ne: "<<"\n')).toEqual({
      a: '!!omap',
      b: 'wow!',
      c: '!set\n%YAML 1.1\n',
      d: '50 %',
      e: '<<',
    })
    expect(valueOf('%YAML 1.2\n---\na: 1\r\nb: 2\r\n')).toEqual({ a: 1, b: 2 })
  })
})

test('both readers agree on every text that the fast one reads (property)', () => {
  const scrap = fc.constantFrom(
    'a',
    'b',
    '1e3',
    '0123',
    'null',
    'true',
    'yes',
    '<<',
    '4900',
    '49.00',
    '1.50',
    '0x1F',
    '-0',
    '!!set',
    '!x',
    '"q"',
    "'s'",
    '{',
    '}',
    '[',
    ']',
    ': ',
    ':',
    ', ',
    '\n',
    '\n  ',
    ' ',
    '- ',
    '# c',
    '%YAML 1.1',
    '---',
    '\r',
    '&x',
    '*x',
    '2026-12-31T09:15:00Z',
    'word two',
  )
  fc.assert(
    fc.property(fc.array(scrap, { maxLength: 14 }), (scraps) => {
      const text = scraps.join('')
      const fast = readPlainYaml(text)
      if (fast === undefined) return
      // A comment forces the full reader and changes no value.
      const full = readYaml('a.yaml', `# !\n${text}\n? zzz\n: 1\n`)
      expect('file' in full ? full.file.value : full.findings).toEqual({ ...(fast.value as object), zzz: 1 })
    }),
    { numRuns: 20_000 },
  )
})
