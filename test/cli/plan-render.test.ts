import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Chalk } from 'chalk'
import { describe, expect, test } from 'vitest'
import { changePhrase, changePhrases, patchLines } from '../../src/cli/render/change-phrase.ts'
import { operationLine } from '../../src/cli/render/field-words.ts'
import { code, fittingMarkdown, markdownTable, prose } from '../../src/cli/render/markdown-table.ts'
import { planMarkdown } from '../../src/cli/render/plan-markdown.ts'
import { planText } from '../../src/cli/render/plan-text.ts'
import { money } from '../../src/cli/render/words.ts'
import { planHtml } from '../../src/cli/report/plan-page.ts'
import { parsePlan } from '../../src/plan/document.ts'
import { patchBetween } from '../../src/plan/patch.ts'
import type { Change, Plan } from '../../src/plan/types.ts'
import { root } from '../house/sources.ts'

const saved = JSON.parse(readFileSync(join(root, 'test/golden/projects/saved-plan/wave-01.plan.json'), 'utf8')) as Plan

const created = (params: Change['steps'][number]['params'], kind = 'price'): Change => ({
  address: `${kind}.x`,
  action: 'create',
  because: [],
  patch: [],
  people: 0,
  steps: [{ id: 'create', account: 'target', method: 'POST', path: '/v1/x', params, idempotency_key: '' }],
  expect: { seen: '' },
})

describe('a change shows the old and the new value', () => {
  test('or that it follows another one, when its own words stay the same', () => {
    const change: Change = { ...created({}, 'promotion_code'), action: 'replace', because: ['promotion'] }
    expect(patchLines(change)).toEqual(['promotion: follows an object that is replaced'])
    const marked: Change = { ...change, action: 'update', because: ['marks'] }
    expect(patchLines(marked)).toEqual([])
  })

  test.each([
    [{ a: 1 }, { a: 2 }, 'a: 1 → 2'],
    [{ unit_amount: 4987 }, { unit_amount: 9913 }, 'unit_amount: 49.87 usd → 99.13 usd'],
    [
      { currency_options: { jpy: { unit_amount: 500 } } },
      { currency_options: { jpy: { unit_amount: 600 } } },
      'currency_options.jpy.unit_amount: 500 jpy → 600 jpy',
    ],
    [{}, { description: 'd' }, 'description: nothing → "d"'],
    [{ description: 'd' }, {}, 'description: "d" → back to its default'],
    [{ metadata: { 'a/b': 'x' } }, { metadata: { 'a/b': 'y' } }, 'metadata.a/b: "x" → "y"'],
    [{ metadata: { api_key: 'x' } }, { metadata: { api_key: 'y' } }, 'metadata.api_key: (not shown) → (not shown)'],
    [{}, { metadata: { api_key: 'x' } }, 'metadata: nothing → { api_key: (not shown) }'],
    [
      { url: 'https://a.b/' },
      { url: 'https://u:p@a.b/?token=x&a=1' },
      'url: "https://a.b/" → "https://(not shown)@a.b/?token=(not shown)&a=1"',
    ],
    [{ description: 'd' }, { description: `key ${'sk_'}live_0123456789` }, 'description: "d" → "key (not shown)"'],
    [{ unit_amount_decimal: '0.5' }, { unit_amount_decimal: '0.75' }, 'unit_amount_decimal: 0.005 usd → 0.0075 usd'],
    [{ active: true }, { active: false }, 'active: true → false'],
    [
      { tiers: [{ up_to: 3, unit_amount: 0 }] },
      { tiers: [{ up_to: 3, unit_amount: 123_456 }] },
      'tiers.0.unit_amount: 0.00 usd → 1,234.56 usd',
    ],
    [
      { currency_options: {} },
      { currency_options: { jpy: { unit_amount: 4900, tax_behavior: 'inclusive' } } },
      'currency_options.jpy: nothing → { unit_amount: 4,900 jpy, tax_behavior: "inclusive" }',
    ],
    [
      { fixed_amount: { amount: 500, currency: 'eur', currency_options: { kwd: { amount: 1000 } } } },
      { fixed_amount: { amount: 500, currency: 'eur', currency_options: { kwd: { amount: 2000 } } } },
      'fixed_amount.currency_options.kwd.amount: 1.000 kwd → 2.000 kwd',
    ],
    [
      { custom_unit_amount: { maximum: 5000 } },
      { custom_unit_amount: { maximum: 100_000 } },
      'custom_unit_amount.maximum: 50.00 usd → 1,000.00 usd',
    ],
  ])('%j → %j', (before, after, line) => {
    expect(patchBetween(before, after).map((one) => operationLine(one, { currency: 'usd' }))).toEqual([line])
  })

  test.each([
    [
      { restrictions: { minimum_amount: 5000, minimum_amount_currency: 'jpy' } },
      '/restrictions/minimum_amount',
      '4,000 jpy → 5,000 jpy',
    ],
    [{ fixed_amount: { amount: 5000, currency: 'kwd' } }, '/fixed_amount/amount', '4.000 kwd → 5.000 kwd'],
  ])('the currency of an amount is the nearest one: %j', (params, path, words) => {
    expect(operationLine({ op: 'replace', path, value: 5000, was: 4000 }, params)).toContain(words)
  })

  test('a list of secrets in a long text is not cut open', () => {
    const [operation] = patchBetween(
      { description: 'a' },
      { description: `${'a'.repeat(100)} ${'whsec_'}${'b'.repeat(100)}` },
    )
    expect(operation === undefined ? '' : operationLine(operation)).not.toContain('bbb')
  })

  test('a long text is shortened', () => {
    const [operation] = patchBetween({ description: 'a'.repeat(500) }, { description: 'b' })
    expect(operation === undefined ? '' : operationLine(operation).length).toBeLessThan(200)
  })
})

describe('the amount of every form of price is readable', () => {
  test.each([
    [{ currency: 'usd', unit_amount: 123_456_789, recurring: { interval: 'month' } }, '1,234,567.89 usd a month'],
    [{ currency: 'usd', unit_amount_decimal: '0.5', recurring: { interval: 'month' } }, '0.005 usd a month'],
    [{ currency: 'jpy', unit_amount_decimal: '0.5' }, '0.5 jpy'],
    [{ currency: 'usd', unit_amount: 100, tax_behavior: 'inclusive' }, '1.00 usd, tax inclusive'],
    [{ currency: 'usd', unit_amount: 100, currency_options: { eur: { unit_amount: 90 } } }, '1.00 usd, 0.90 eur'],
    [
      {
        currency: 'usd',
        tiers: [
          { up_to: 3, unit_amount: 0 },
          { up_to: 'inf', unit_amount: 200, flat_amount: 500 },
        ],
      },
      'to 3: 0.00 usd; above: 2.00 usd + 5.00 usd flat',
    ],
  ])('%j', (params, phrase) => {
    expect(changePhrase(created(params))).toBe(phrase)
  })

  test.each([
    [
      { currency: 'usd', custom_unit_amount: { minimum: 500, maximum: 10_000 } },
      'the customer chooses, from 5.00 usd to 100.00 usd',
    ],
    [
      { currency: 'usd', unit_amount: 100, transform_quantity: { divide_by: 10, round: 'up' } },
      '1.00 usd for 10 units, rounded up',
    ],
    [
      {
        currency: 'usd',
        tiers_mode: 'volume',
        tiers: [{ up_to: 'inf', unit_amount: 200 }],
        recurring: { interval: 'month', usage_type: 'metered' },
      },
      'above: 2.00 usd (volume) a month, metered',
    ],
    [
      {
        currency: 'usd',
        unit_amount: 100,
        tax_behavior: 'exclusive',
        currency_options: { eur: { unit_amount: 90, tax_behavior: 'inclusive' } },
      },
      '1.00 usd, 0.90 eur (tax inclusive), tax exclusive',
    ],
  ])('%j', (params, phrase) => {
    expect(changePhrase(created(params))).toBe(phrase)
  })

  test.each([
    [
      'coupon',
      { amount_off: 500, currency: 'usd', currency_options: { jpy: { amount_off: 700 } }, duration: 'once' },
      '5.00 usd, 700 jpy off once',
    ],
    [
      'promotion_code',
      { code: 'A', restrictions: { minimum_amount: 5000, minimum_amount_currency: 'jpy' } },
      'A, from 5,000 jpy',
    ],
    [
      'shipping_rate',
      {
        display_name: 'Parcel',
        fixed_amount: { amount: 500, currency: 'eur', currency_options: { kwd: { amount: 400 } } },
      },
      'Parcel, 5.00 eur, 0.400 kwd',
    ],
  ])('%s %j', (kind, params, phrase) => {
    expect(changePhrase(created(params, kind))).toBe(phrase)
  })

  test('tax behaviour is shown where two prices of a product differ only in it', () => {
    const price = (key: string, params: Change['steps'][number]['params']): Change => ({
      ...created({ product: 'prod_1', currency: 'usd', unit_amount: 4900, ...params }),
      address: `price.${key}`,
    })
    const changes = [price('a', { tax_behavior: 'inclusive' }), price('b', {}), price('c', { product: 'prod_2' })]
    expect([...changePhrases(changes).values()]).toEqual([
      '49.00 usd, tax inclusive',
      '49.00 usd, tax unspecified',
      '49.00 usd',
    ])
  })

  test('thousands are grouped', () => {
    expect([money(-123_400, 'usd'), money(99_900, 'usd'), money(4_900, 'jpy')]).toEqual([
      '-1,234.00 usd',
      '999.00 usd',
      '4,900 jpy',
    ])
  })
})

describe('foreign text is plain text in Markdown', () => {
  const evil = '</td><script>alert(1)</script> `<img src=x>` ``<b>`` |'

  test('in cells, titles and code', () => {
    const text = fittingMarkdown((limit) =>
      [
        prose(evil),
        markdownTable(evil, ['a'], [[evil], [`${code(evil)} ${evil}`]], { limit, text: evil, folded: true }),
      ].join('\n'),
    )
    const allowed = text.replaceAll(/<\/?(?:details|summary|code)>/g, '')
    expect(allowed).not.toMatch(/[<>]/)
  })

  test('no name is a link, a picture or a mention', () => {
    const text = fittingMarkdown(() => prose('![x](https://evil.example/p.png) @everyone'))
    expect(text).toBe('![x]\\(https://evil.example/p.png) @<!-- -->everyone')
  })

  test('a document of any length fits into a comment and keeps its digest', () => {
    const long = Array.from({ length: 900 }, (_, at) => `### Section ${at}\n\n${'x'.repeat(200)}`)
    const text = fittingMarkdown(() => [...long, 'Plan digest: `abc`'].join('\n\n'))
    expect(text.length).toBeLessThan(65_536)
    expect(text).toContain('Section 0')
    expect(text.endsWith('Plan digest: `abc`')).toBe(true)
  })

  test('code without markup stays between backticks', () => {
    expect(fittingMarkdown(() => code('price.a'))).toBe('`price.a`')
  })
})

test('the rest of an interrupted change of people is named as such, without bare amounts', () => {
  const rest: Change = {
    address: 'tax_rate.vat',
    action: 'replace',
    because: ['left over from a replacement'],
    patch: [
      { op: 'replace', path: '/percentage', was: 8.25, value: 8.5 },
      { op: 'replace', path: '/unit_amount', was: 4900, value: 5900 },
    ],
    people: 3,
    steps: [],
    expect: { seen: '' },
  }
  expect(changePhrase(rest)).toBe('finishes the change that an earlier run began; the others have it already')
  expect(patchLines(rest)).toEqual(['percentage: 8.25 → 8.5'])
})

describe('what ends is shown in every format', () => {
  const retired: Change = {
    address: 'payment_link.buy',
    action: 'retire',
    because: ['no longer declared'],
    patch: [{ op: 'add', path: '/active', value: false }],
    people: 0,
    ends: [
      { what: 'use', message: 'its URL says that the link is deactivated' },
      { what: 'events', message: 'nobody receives this event any more: a|b' },
    ],
    steps: [],
    expect: { seen: '' },
  }
  const planned = { ...saved, changes: [retired] }

  test('text: a line each, instead of the field that stops it', () => {
    expect(planText(planned, new Chalk({ level: 0 }))).toContain(
      '  - payment_link.buy\n      ends: its URL says that the link is deactivated\n      ends: nobody receives this event any more: a|b',
    )
    expect(patchLines(retired)).toEqual([])
    const { ends: _ends, ...older } = retired
    expect(patchLines(older)).toEqual(['active: nothing → false'])
  })

  test('Markdown: in a table that is not folded', () => {
    const text = planMarkdown(planned)
    expect(text).toContain(
      'ends: its URL says that the link is deactivated; ends: nobody receives this event any more: a\\|b',
    )
    expect(text.slice(0, text.indexOf('ends:'))).not.toContain('<details>')
  })

  test('HTML: in a column of its own', () => {
    expect(planHtml(planned)).toMatch(/data-label="what ends"\s*><ul class="plain">\s*<li>its URL says/)
  })

  test('JSON: kept in a saved plan', () => {
    expect(parsePlan(JSON.parse(JSON.stringify(planned)))).toEqual({ value: planned })
  })
})

test.each([
  [{ crossbill_protect: null }, 'no longer protected'],
  [{ crossbill_protect: 'true' }, 'protected from now on'],
  [{ crossbill_address: 'price.new' }, 'the object stays as it is; only its marks change, to the key of this entry'],
])('an update of the mark %j says what changes: %s', (metadata, phrase) => {
  const step = {
    id: 'update',
    account: 'target',
    method: 'POST',
    path: '/v1/prices/price_1',
    idempotency_key: 'k',
  } as const
  const change: Change = {
    address: 'price.p',
    action: 'update',
    because: ['marks'],
    patch: [],
    people: 0,
    steps: [{ ...step, params: { metadata } }],
    expect: { seen: '' },
  }
  expect(changePhrase(change)).toBe(phrase)
})
