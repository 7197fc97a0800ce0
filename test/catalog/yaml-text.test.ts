import { expect, test } from 'vitest'
import { YamlText } from '../../src/catalog/yaml-text.ts'
import type { Json } from '../../src/core/json.ts'

/** The text after setting one field of one subscriber. */
function set(text: string, key: string, field: string, value: Json | undefined): string | undefined {
  const yaml = new YamlText(text, 'header')
  yaml.set('subscribers', key, field, value)
  return yaml.text()
}

const seven = [{ price: 'monthly', quantity: 7 }]

test('line ends and indentation stay as they are: one changed value is one changed line', () => {
  const text = `# ours\nstage: source\nsubscribers:\n    sub_1:\n        items: [ { price: monthly } ] # main\n        currency: 'usd'\n`
  for (const as of [text, text.replaceAll('\n', '\r\n')])
    expect(set(as, 'sub_1', 'items', seven)).toBe(as.replace('price: monthly', 'price: monthly, quantity: 7'))
})

test('comments inside a list stay beside the entry that they describe', () => {
  const text = `subscribers:
  sub_1:
    items:
      # the add-on
      - { price: addon }
      # the main one
      - { price: monthly, quantity: 2 } # asked for two
`
  expect(set(text, 'sub_1', 'items', [{ price: 'addon' }, { price: 'monthly', quantity: 3 }])).toBe(
    text.replace('quantity: 2', 'quantity: 3'),
  )
  expect(set(text, 'sub_1', 'items', [{ price: 'addon' }])).not.toContain('main')
})

test('an alias (`*name`) keeps its value when its anchor changes', () => {
  const text = `subscribers:
  sub_1:
    items: &usual [ { price: monthly } ]
  sub_2:
    items: *usual
  sub_3: &whole
    items: *usual
    currency: usd
  sub_4: *whole
`
  expect(set(text, 'sub_1', 'items', seven)).toBe(`subscribers:
  sub_1:
    items: [ { price: monthly, quantity: 7 } ]
  sub_2:
    items: [ { price: monthly } ]
  sub_3: &whole
    items: [ { price: monthly } ]
    currency: usd
  sub_4: *whole
`)
  expect(set(text, 'sub_2', 'items', seven)).toBe(
    text.replace('sub_2:\n    items: *usual', 'sub_2:\n    items: [ { price: monthly, quantity: 7 } ]'),
  )
  expect(set(text, 'sub_4', 'currency', 'eur')).toBe(
    text.replace('sub_4: *whole', 'sub_4:\n    items: *usual\n    currency: eur'),
  )
  expect(set(text, 'sub_3', 'currency', 'eur')).toBe(
    text
      .replace('sub_3: &whole', 'sub_3:')
      .replace('currency: usd\n  sub_4: *whole', 'currency: eur\n  sub_4:\n    items: *usual\n    currency: usd'),
  )
})
