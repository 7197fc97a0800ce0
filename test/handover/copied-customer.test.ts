import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { present } from '../../src/core/assert.ts'
import { copyMismatch } from '../../src/handover/copied-customer.ts'

type People = Readonly<Record<string, string | null>>

/** Old customer, claimed copy, the rows of the map, and the e-mail addresses on both sides. */
type Claim = [from: string, to: string, rows: Readonly<Record<string, string>>, source: People, target: People]

function mismatch(...[from, to, rows, source, target]: Claim): string | undefined {
  const customers = (all: People): ReadonlyMap<string, Stripe.Customer> =>
    new Map(Object.entries(all).map(([id, email]) => [id, { id, email } as Stripe.Customer]))
  const [old, now] = [customers(source), customers(target)]
  return copyMismatch({
    old: present(old.get(from), from),
    copy: present(now.get(to), to),
    copyMap: { customers: new Map(Object.entries(rows)), payments: new Map() },
    source: { customers: old },
    target: { customers: now },
  })
}

const both = { cus_n: 'n@example.com', cus_y: 'y@example.com' }
const swapped = { cus_n: 'cus_y', cus_y: 'cus_n' }
const own = { cus_n: 'cus_n', cus_y: 'cus_y' }

test.each<[string, ...Claim]>([
  ['two rows swapped', 'cus_n', 'cus_y', swapped, both, both],
  ['two rows swapped, of two customers of one person', 'cus_n', 'cus_y', swapped, { cus_n: 'n', cus_y: 'n' }, both],
  ['two rows swapped, no addresses', 'cus_n', 'cus_y', swapped, { cus_n: null, cus_y: null }, { cus_y: null }],
  ['one row filled down', 'cus_n', 'cus_y', { ...own, cus_n: 'cus_y' }, both, both],
  ['another customer, ids not kept', 'cus_n', 'cus_2', { cus_n: 'cus_2' }, both, { cus_2: 'y@example.com' }],
  ['the copy kept its id', 'cus_n', 'cus_2', { cus_n: 'cus_2' }, { cus_n: null }, { cus_n: null, cus_2: null }],
  [
    'the address of another old customer',
    'cus_n',
    'cus_2',
    { cus_n: 'cus_2', cus_y: 'cus_1' },
    { ...both, cus_n: null },
    { cus_1: 'n@example.com', cus_2: 'Y@example.com' },
  ],
  ['an id that a person chose, without a row', 'n1', 'n1', {}, { n1: 'n@example.com' }, { n1: 'y@example.com' }],
])('another person’s customer is not the copy: %s', (_, ...claim) => {
  const found = mismatch(...claim)
  expect(found).toContain(claim[1])
  expect(found).not.toContain('@')
})

test.each<[string, ...Claim]>([
  ['the id is kept', 'cus_n', 'cus_n', own, both, both],
  ['the address changed in one account', 'cus_n', 'cus_n', own, both, { cus_n: 'new@example.com' }],
  ['the address changed, and no row names the customer', 'cus_n', 'cus_n', {}, both, { cus_n: 'new@example.com' }],
  ['another id and the same address', 'cus_n', 'cus_2', { cus_n: 'cus_2' }, both, { cus_2: ' N@Example.com' }],
  ['another id and no address', 'cus_n', 'cus_2', { cus_n: 'cus_2' }, { cus_n: null }, { cus_2: 'n@example.com' }],
  [
    'two customers of one person with one copy',
    'cus_n',
    'cus_y',
    { ...own, cus_n: 'cus_y' },
    { cus_n: 'n@example.com', cus_y: 'n@example.com' },
    { cus_y: 'n@example.com' },
  ],
  ['an id that a person chose, with a row', 'n1', 'n1', { n1: 'n1' }, { n1: 'n@example.com' }, { n1: 'm@example.com' }],
])('the copy of the same person is accepted: %s', (_, ...claim) => {
  expect(mismatch(...claim)).toBeUndefined()
})
