import { expect, test } from 'vitest'
import { dated } from '../../src/cli/dated.ts'
import { columns, everyone } from '../../src/cli/render/words.ts'

test('columns are aligned as a terminal shows them', () => {
  expect(
    columns([
      ['講座', 'a'],
      ['e\u0301te\u0301', 'b'],
      ['👩‍🔬 lab', 'c'],
      ['course', 'd'],
    ]),
  ).toEqual(['講座    a', 'e\u0301te\u0301     b', '👩‍🔬 lab  c', 'course  d'])
})

test('instants in messages have one form; what is to be pasted keeps its own', () => {
  expect(dated('renews on 2026-12-01T19:35:53Z.')).toBe('renews on 2026-12-01 19:35:53 UTC.')
  for (const text of [
    'crossbill sandbox --advance-to 2027-01-15T12:00:00Z',
    'write `next_invoice: 2026-12-31T09:15:00Z` into the entry',
    '"clock": "2027-01-15T12:00:00Z"',
    'logs/2027-01-15T12:00:00Z.log',
  ])
    expect(dated(text)).toBe(text)
})

test('everybody is counted once', () => {
  expect(everyone({ move: 5, unchanged: 53, blocked: 0, ending: 1 })).toBe(
    '59 subscribers: 5 to move, 53 unchanged, 1 ending',
  )
})
