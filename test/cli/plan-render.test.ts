import { describe, expect, test } from 'vitest'
import { changePhrase, operationLine } from '../../src/cli/render/change-phrase.ts'
import { code, fittingMarkdown, markdownTable, prose } from '../../src/cli/render/markdown-table.ts'
import { money } from '../../src/cli/render/words.ts'
import { patchBetween } from '../../src/plan/patch.ts'
import type { Change } from '../../src/plan/types.ts'

const created = (params: Change['steps'][number]['params'], kind = 'price'): Change => ({
  address: `${kind}.x`,
  action: 'create',
  because: [],
  patch: [],
  people: 0,
  steps: [{ id: 'create', account: 'target', method: 'POST', path: '/v1/x', params, idempotency_key: '' }],
})

describe('a change shows what was there and what will be', () => {
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
  ])('%j → %j', (before, after, line) => {
    expect(patchBetween(before, after).map((one) => operationLine(one, 'usd'))).toEqual([line])
  })

  test('a long text is shown by its beginning', () => {
    const [operation] = patchBetween({ description: 'a'.repeat(500) }, { description: 'b' })
    expect(operation === undefined ? '' : operationLine(operation).length).toBeLessThan(200)
  })
})

describe('the amount of every form of price can be read', () => {
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

  test('thousands are set apart', () => {
    expect([money(-123_400, 'usd'), money(99_900, 'usd'), money(4_900, 'jpy')]).toEqual([
      '-1,234.00 usd',
      '999.00 usd',
      '4,900 jpy',
    ])
  })
})

describe('text of other people is text in Markdown', () => {
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

  test('code without markup stays between backticks', () => {
    expect(fittingMarkdown(() => code('price.a'))).toBe('`price.a`')
  })
})
