import { expect, test } from 'vitest'
import { isAdvancing, isCollected, isSent, type ShownInvoice } from '../../src/live/invoice.ts'
import { sourcesBelow } from '../house/sources.ts'

const open: ShownInvoice = {
  status: 'open',
  collection_method: 'charge_automatically',
  auto_advance: true,
  amount_remaining: 4_900,
}

test.each<readonly [string, ShownInvoice, boolean]>([
  ['is open and due', {}, true],
  ['is a draft', { status: 'draft' }, false],
  ['is paid', { status: 'paid', amount_remaining: 0 }, false],
  ['is void', { status: 'void' }, false],
  ['was marked uncollectible', { status: 'uncollectible' }, false],
  ['was sent to its customer', { collection_method: 'send_invoice' }, false],
  ['was stopped by a person, a cancel or a pause', { auto_advance: false }, false],
  ['has nothing due', { amount_remaining: 0 }, false],
])('Stripe collects an invoice by itself: one that %s', (_, changed, collected) => {
  expect(isCollected({ ...open, ...changed })).toBe(collected)
})

test('a sent invoice and a draft are under way unless they stand still', () => {
  for (const auto_advance of [true, false]) {
    expect(isSent({ ...open, collection_method: 'send_invoice', auto_advance })).toBe(auto_advance)
    expect(isAdvancing({ ...open, status: 'draft', auto_advance })).toBe(auto_advance)
  }
})

test('no other file decides by itself which invoices are collected', () => {
  const askers = sourcesBelow('src')
    .filter(({ path }) => !/^src\/(sandbox|confirm|kinds)\/|^src\/live\/invoice\.ts$/.test(path))
    .filter(({ text }) =>
      text.replaceAll(/auto_advance: (true|false)|params\['auto_advance'\]/g, '').includes('auto_advance'),
    )
  expect(askers.map(({ path }) => path)).toEqual([])
})
