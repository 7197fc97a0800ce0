import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { isMap, isScalar, isSeq, parseDocument } from 'yaml'
import { accessIn } from '../../src/catalog/access-read.ts'
import { isIncomplete } from '../../src/catalog/left-out.ts'
import { loadCatalog, type CatalogFile } from '../../src/catalog/load.ts'
import type { Catalog } from '../../src/catalog/types.ts'
import { leftOutBlocked } from '../../src/plan/left-out.ts'
import { files, pricesYaml } from './project.ts'

const folder = join(import.meta.dirname, '../../catalog')
const example: readonly CatalogFile[] = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.yaml'))
  .map((path) => ({ path, text: readFileSync(join(folder, path), 'utf8') }))

type Steps = readonly (string | number)[]

function leavesOf(node: unknown, path: Steps = []): readonly Steps[] {
  if (isMap(node))
    return node.items.flatMap(({ key, value }) => leavesOf(value, [...path, isScalar(key) ? String(key.value) : '']))
  if (isSeq(node)) return node.items.flatMap((item, index) => leavesOf(item, [...path, index]))
  return [path]
}

/** The text with one leaf removed, its value misspelled, or its key misspelled. */
function damaged(text: string, path: Steps, how: 'removed' | 'value' | 'key'): string {
  const document = parseDocument(text)
  const value = document.getIn(path)
  if (how !== 'value') document.deleteIn(path)
  if (how === 'value') document.setIn(path, `${String(value)}x`)
  if (how === 'key' && typeof path.at(-1) === 'string')
    document.setIn([...path.slice(0, -1), `${String(path.at(-1))}x`], value)
  return document.toString()
}

/** All leaves of access.yaml; of a longer file, leaves spread over it. */
function sampled(path: string, leaves: readonly Steps[]): readonly Steps[] {
  const most = path === 'access.yaml' ? leaves.length : 5
  const step = Math.max(1, Math.floor(leaves.length / most))
  return leaves.filter((_leaf, index) => index % step === 0).slice(0, most)
}

function lenient(texts: Readonly<Record<string, string>>): Catalog {
  const { catalog } = loadCatalog(files(texts), 'entries')
  if (catalog === undefined) throw new Error('no catalog')
  return catalog
}

const offers = (text = ''): string => `offers:
  course: { kajabi: "1", prices: [membership-monthly-usd], cancel_tags: ["7"], revoked_means: cancel${text} }
  other: { kajabi: "2", prices: [], cancel_tags: ["8"] }
`

describe('one wrong word stops its entry alone', () => {
  test.each(example.map(({ path }) => path))('any leaf of %s', { timeout: 60_000 }, (path) => {
    const text = example.find((one) => one.path === path)?.text ?? ''
    // The subscribers of other files make a load slow, and the rules treat them all alike.
    const needed = path === 'access.yaml' ? /^(project|products|prices)/ : /^(?!subscribers)/
    const others = example.filter((one) => one.path !== path && needed.test(one.path))
    const lost: string[] = []
    for (const leaf of sampled(path, leavesOf(parseDocument(text).contents)))
      for (const how of ['removed', 'value', 'key'] as const) {
        const all = [...others, { path, text: damaged(text, leaf, how) }]
        const { catalog } = loadCatalog(all, how === 'key' ? 'accounts' : 'entries')
        if (catalog === undefined && path !== 'project.yaml') lost.push(`${how} ${leaf.join('.')}`)
        if (catalog !== undefined) accessIn(catalog)
      }
    expect(lost).toEqual([])
  })

  test('a file that is deleted', () => {
    for (const { path } of example.filter((one) => one.path !== 'project.yaml')) {
      const rest = example.filter((one) => one.path !== path)
      expect(loadCatalog(rest, 'accounts').catalog).toBeDefined()
    }
  })
})

describe('an access.yaml with an error leaves access unknown, and cancels continue', () => {
  test.each([
    ['an unknown price', offers().replace('membership-monthly', 'membership-montly')],
    ['a misspelled key', offers(', day_limt: 30')],
    ['a wrong value', offers().replace('"2"', 'two')],
    ['a tag at two offers', offers().replace('"8"', '"8", "7"')],
    ['text that is not YAML', 'offers: ['],
  ])('%s', (_what, text) => {
    const catalog = lenient({ 'access.yaml': text })
    expect(isIncomplete(catalog, 'access')).toBe(true)
    expect(accessIn(catalog).incomplete).toBe(true)
    const said = leftOutBlocked(catalog).map(({ message }) => message)
    expect(said).toEqual([expect.stringContaining('no access is granted or revoked until it is corrected')])
  })

  test('a misspelled day limit does not turn an expiry into a cancel; the tags remain', () => {
    const known = accessIn(lenient({ 'access.yaml': offers(', day_limt: 30') }))
    expect(known.offers['course']).toEqual({ kajabi: '1', prices: ['membership-monthly-usd'], cancel_tags: ['7'] })
    expect(known.offers['other']?.cancel_tags).toEqual(['8'])
  })

  test('a tag at two offers names neither', () => {
    const known = accessIn(lenient({ 'access.yaml': offers().replace('"8"', '"8", "7"') }))
    expect(Object.values(known.offers).map((one) => one.cancel_tags)).toEqual([[], ['8']])
  })

  test('a correct one is complete', () => {
    expect(accessIn(lenient({ 'access.yaml': offers() })).incomplete).toBeUndefined()
  })

  test('prices that cannot be read are not an error of access.yaml', () => {
    const catalog = lenient({ 'access.yaml': offers(), 'prices.yaml': 'prices: [' })
    expect(isIncomplete(catalog, 'access')).toBe(false)
  })
})

const second = `  second-monthly-usd:
    product: membership
    currency: usd
    unit_amount: 5900
    recurring: { interval: month }
`
const [a, b] = ['price.membership-monthly-usd', 'price.second-monthly-usd']

describe('a refused line of moved: or removed: has no effect', () => {
  test.each([
    ['a move of an entry that is still there', `moved: { ${a}: ${b} }`, [a, b], []],
    ['keys swapped both ways', `moved: { ${a}: ${b}, ${b}: ${a} }`, [a, b], []],
    ['a move to no entry', `moved: { price.old: price.none }`, ['price.none', 'price.old'], [a, b]],
    ['a circle without entries', `moved: { price.x: price.y, price.y: price.x }`, ['price.x', 'price.y'], [a, b]],
    ['a chain over a refused line', `moved: { price.x: ${a}, ${a}: ${b} }`, [a, b, 'price.x'], []],
    ['a removed entry that is still there', `removed: [${a}]`, [a], [b]],
    ['a removed entry in a map', `removed: { ${a}: keep }`, [a], [b]],
    ['another kind', `moved: { price.old: product.membership }`, ['price.old', 'product.membership'], [a, b]],
  ])('%s', (_what, line, left, prices) => {
    const catalog = lenient({ 'prices.yaml': `${pricesYaml}${second}${line}\n` })
    expect(catalog.moved.size + catalog.removed.size).toBe(0)
    expect((catalog.leftOut?.entries ?? []).map(({ address }) => address).toSorted()).toEqual(left)
    expect(catalog.leftOut?.files.size).toBe(0)
    const kept = catalog.resources.filter(({ kind }) => kind === 'price').map(({ address }) => address)
    expect(kept.toSorted()).toEqual(prices)
  })

  test('a line that the schema refuses leaves out all that the lines name', () => {
    const catalog = lenient({ 'prices.yaml': `${pricesYaml}${second}moved: { price.old: ${b}, x: price.y }\n` })
    expect((catalog.leftOut?.entries ?? []).map(({ address }) => address)).toContain(b)
    expect(catalog.resources.map(({ address }) => address)).toContain(a)
    expect(isIncomplete(catalog, 'resources')).toBe(true)
  })

  test('a correct line has its effect', () => {
    const catalog = lenient({ 'prices.yaml': `${pricesYaml}${second}moved: { price.old: ${a} }\n` })
    expect([...catalog.moved]).toEqual([['price.old', a]])
    expect(catalog.leftOut).toBeUndefined()
  })

  test('the finding is given once', () => {
    const text = `${pricesYaml}${second}moved: { ${a}: ${b} }\n`
    expect(loadCatalog(files({ 'prices.yaml': text }), 'entries').findings).toHaveLength(1)
  })
})

describe('both ends of a contradiction are left out, so that no half of it is planned', () => {
  const left = (sections: string): readonly string[] =>
    lenient({ 'products.yaml': '', 'prices.yaml': '', 'all.yaml': sections }).resources.map(({ address }) => address)

  test('a retired product whose price stays', () => {
    const price = 'prices: { m: { product: p, currency: usd, unit_amount: 100 } }\n'
    expect(left(`products: { p: { name: P, retire: true }, q: { name: Q } }\n${price}`)).toEqual(['product.q'])
    const both = price.replace('100', '100, retire: true')
    expect(left(`products: { p: { name: P, retire: true } }\n${both}`)).toEqual(['product.p', 'price.m'])
  })

  test('a default price that moved to another product', () => {
    const products = 'products: { p: { name: P, default_price: m }, q: { name: Q } }\n'
    expect(left(`${products}prices: { m: { product: q, currency: usd, unit_amount: 100 } }\n`)).toEqual(['product.q'])
  })

  test('a removed product whose price stays', () => {
    const catalog = lenient({
      'products.yaml': '',
      'prices.yaml': '',
      'all.yaml': 'prices: { m: { product: p, currency: usd, unit_amount: 100 } }\nremoved: [product.p, product.q]\n',
    })
    expect([...catalog.removed.keys()]).toEqual(['product.q'])
  })
})

test('a file in a folder that Crossbill does not read may declare anything, so it counts as left out', () => {
  const { catalog } = loadCatalog(files({ 'eu/prices.yaml': pricesYaml }), 'entries')
  expect([...(catalog?.leftOut?.files.keys() ?? [])]).toEqual(['eu/prices.yaml'])
  expect(
    catalog && ['resources', 'access', 'externals'].map((kind) => isIncomplete(catalog, kind as 'access')),
  ).toEqual([true, true, true])
  expect(catalog && isIncomplete(catalog, 'subscribers', 'us')).toBe(true)
  expect(catalog && leftOutBlocked(catalog)).toMatchObject([
    { code: 'entry_invalid', message: expect.stringMatching(/nothing that it may declare is retired/) as string },
  ])
})
