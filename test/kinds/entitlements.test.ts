import { expect, test } from 'vitest'
import type { StripeAccount } from '../../src/engine/ports.ts'
import { readResources } from '../../src/engine/read/resources.ts'
import { catalogOf, lines, Target } from './target.ts'

const features =
  'features: { export: { name: Export, lookup_key: export }, import: { name: Import, lookup_key: import } }\n'
const product = (attached: string): string => `${features}products: { a: { name: A${attached} } }\n`

async function attached(target: Target): Promise<readonly string[]> {
  const links = await target.list('/v1/products/a/features')
  return links
    .map((one) => (one['entitlement_feature'] as { lookup_key: string }).lookup_key)
    .toSorted((a, b) => (a < b ? -1 : 1))
}

test('features are attached to a product and detached by the entry', async () => {
  const target = await Target.open()
  const states: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    [
      ', features: [export]',
      ['create feature.export (declared)', 'create feature.import (declared)', 'create product.a (declared)'],
      ['export'],
    ],
    [', features: [import, export]', ['update product.a (features)'], ['export', 'import']],
    [', features: [import]', ['update product.a (features)'], ['import']],
    // A missing list removes nothing; an empty list does.
    ['', [], ['import']],
    [', features: []', ['update product.a (features)'], []],
  ]
  for (const [words, planned, there] of states) {
    const plan = await target.plan(catalogOf(product(words)))
    expect(lines(plan)).toEqual(planned)
    await target.apply(plan)
    expect(await attached(target)).toEqual(there)
    expect(lines(await target.plan(catalogOf(product(words))))).toEqual([])
  }
})

test('a feature detached outside is drift, and is attached again', async () => {
  const target = await Target.open()
  const catalog = catalogOf(product(', features: [export]'))
  await target.apply(await target.plan(catalog))
  const [link] = await target.list('/v1/products/a/features')
  await target.send('DELETE', `/v1/products/a/features/${link?.id}`)
  const plan = await target.plan(catalog)
  expect(lines(plan)).toEqual(['update product.a (features)', 'drift product.a (changed_outside)'])
  await target.apply(plan)
  expect(await attached(target)).toEqual(['export'])
})

test('a replaced feature stays attached, by its new object', async () => {
  const target = await Target.open()
  await target.apply(await target.plan(catalogOf(product(', features: [export]'))))
  const renamed = catalogOf(product(', features: [export]').replace('lookup_key: export', 'lookup_key: export-2'))
  await target.apply(await target.plan(renamed))
  expect(await attached(target)).toEqual(['export-2'])
  expect(lines(await target.plan(renamed))).toEqual([])
})

test('an account without features gets no request for attachments', async () => {
  const target = await Target.open()
  await target.apply(await target.plan(catalogOf('products: { a: { name: A } }')))
  const asked: string[] = []
  const watched: StripeAccount = {
    ...target.account,
    list: (path, params) => {
      asked.push(path)
      return target.account.list(path, params)
    },
  }
  await readResources(watched)
  expect(asked.filter((path) => path.startsWith('/v1/products/'))).toEqual([])
})
