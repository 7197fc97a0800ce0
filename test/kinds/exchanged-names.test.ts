import { describe, expect, test } from 'vitest'
import { splitAddress } from '../../src/core/address.ts'
import { keepsName } from '../../src/plan/resources/names.ts'
import { kindNamed, kinds } from '../../src/kinds/registry.ts'
import { narrow } from '../../src/plan/narrow.ts'
import type { ResourcesPlan } from '../../src/plan/resources/types.ts'
import { catalogOf, lines, Target } from './target.ts'

type Entries = (names: readonly (string | undefined)[]) => string

const each = (names: readonly (string | undefined)[], entry: (name: string, at: number) => string): string =>
  names.flatMap((name, at) => (name === undefined ? [] : [`${'abcd'[at]}: ${entry(name, at)}`])).join(', ')

/** Entries a, b, c of one kind with the given names. Every kind with a natural key is here. */
const exchanging: Readonly<Record<string, Entries>> = {
  feature: (names) => `features: { ${each(names, (name, at) => `{ name: F${at}, lookup_key: ${name} }`)} }
products: { ${names.map((name, at) => `p${at}: { name: P, features: [${name === undefined ? '' : 'abcd'[at]}] }`).join(', ')} }`,
  price: (names) => `products: { p: { name: P } }
prices: { ${each(names, (name, at) => `{ product: p, currency: usd, unit_amount: ${at + 1}00, lookup_key: ${name} }`)} }`,
  promotion_code: (names) => `coupons: { c0: { percent_off: 10 }, c1: { percent_off: 20 }, c2: { percent_off: 30 } }
promotion_codes: { ${each(names, (name, at) => `{ code: ${name}, promotion: { coupon: c${at} } }`)} }`,
  'promotion_code of one coupon': (names) => `coupons: { c: { percent_off: 10 } }
promotion_codes: { ${each(names, (name, at) => `{ code: ${name}, promotion: { coupon: c }, metadata: { n: "${at}" } }`)} }`,
  meter: (names) =>
    `meters: { ${each(names, (name, at) => `{ display_name: M${at}, event_name: ${name}, default_aggregation: { formula: sum } }`)} }`,
  'meter of another formula': (names) =>
    `meters: { ${each(names, (name, at) => `{ display_name: M, event_name: ${name}, default_aggregation: { formula: ${['sum', 'count', 'last'][at] ?? 'sum'} } }`)} }`,
  payment_method_domain: (names) =>
    `payment_method_domains: { ${each(names, (name) => `{ domain_name: ${name}.example.com }`)} }`,
  tax_registration: (names) =>
    `tax_registrations: { ${each(names, (name) => `{ country: US, country_options: { us: { state: ${{ one: 'TX', two: 'WA', three: 'FL' }[name] ?? 'NY'}, type: state_sales_tax } } }`)} }`,
  webhook_endpoint: (names) =>
    `webhook_endpoints: { ${each(names, (name, at) => `{ url: "https://x.test/${name}", enabled_events: ["*"], description: D${at}, secret_to: { file: s${at} } }`)} }`,
  event_destination: (names) =>
    `event_destinations: { ${each(names, (name, at) => `{ name: D${at}, type: webhook_endpoint, event_payload: thin, enabled_events: ["*"], webhook_endpoint: { url: "https://x.test/${name}" }, secret_to: { file: s${at} } }`)} }`,
  payment_method_configuration: (names) =>
    `payment_method_configurations: { ${each(names, (name) => `{ name: ${name}, card: { display_preference: { preference: "on" } } }`)} }`,
}

const moves: readonly (readonly [
  name: string,
  from: readonly (string | undefined)[],
  to: readonly (string | undefined)[],
])[] = [
  ['two exchange their names', ['one', 'two'], ['two', 'one']],
  ['three exchange their names in a circle', ['one', 'two', 'three'], ['two', 'three', 'one']],
  ['three pass their names on', ['one', 'two', 'three'], ['two', 'three', 'four']],
  ['three pass their names on, the other way', ['one', 'two', 'three'], ['four', 'one', 'two']],
  ['a new entry gets the name of one that is renamed', ['one'], ['two', 'one']],
  ['an entry gets the name of one that is retired', ['one', 'two'], ['two', undefined]],
  ['two exchange their names, and a third is retired', ['one', 'two', 'three'], ['two', 'one', undefined]],
]

function isUnmarked(name: string): boolean {
  return kinds.some((kind) => !kind.marks && name.startsWith(kind.name))
}

/** The names in use, with what distinguishes the objects that have them. */
async function inUse(target: Target): Promise<readonly string[]> {
  const live = await target.live()
  return kinds
    .filter(({ naturalKey, name }) => naturalKey !== undefined && !['product', 'coupon', 'tax_settings'].includes(name))
    .flatMap((kind) =>
      (live.get(kind.name) ?? [])
        .filter((one) => !kind.retired(one))
        .map(
          (one) =>
            `${kind.name} ${kind.naturalKey?.live(one)} ${JSON.stringify([one['name'], one['promotion'], one['unit_amount'], one['default_aggregation'], one['description'], one['display_name']])}`,
        ),
    )
    .toSorted()
}

describe('promise: one apply is enough', () => {
  describe.each(Object.entries(exchanging))('%s', (name, entries) => {
    test.each(moves)('%s', { timeout: 60_000 }, async (_name, from, to) => {
      const clean = await Target.open()
      await clean.apply(await clean.plan(catalogOf(entries(to))))
      const expected = await inUse(clean)
      for (const hasStore of [true, false]) {
        const target = await Target.open()
        await target.apply(await target.plan(catalogOf(entries(from))))
        if (!hasStore) target.known = []
        const gone = to.flatMap((one, at) => (one === undefined ? [`${name.split(' ')[0]}.${'abcd'[at]}`] : []))
        const after = catalogOf(`${entries(to)}\nremoved: [${gone.join(', ')}]`)
        const plan = await target.plan(after)
        // Without marks and without a store, nothing says whose an object in use is.
        const isOpen = (line: string): boolean => !line.endsWith('(retire_unidentified)')
        const isKnown = hasStore || !isUnmarked(name)
        const wrong = lines(plan).filter((line) => /^(?:blocked|drift)/.test(line))
        const isAllowed = (line: string): boolean => !isKnown && /foreign_object|retire_unidentified/.test(line)
        expect(wrong.filter((line) => !isAllowed(line))).toEqual([])
        await target.apply(plan)
        expect(lines(await target.plan(after)).filter(isOpen)).toEqual(wrong.filter(isOpen))
        expect(isKnown ? await inUse(target) : expected).toEqual(expected)
      }
    })

    test('the plan shows both names, and one of them as its target takes the other along', async () => {
      const after = catalogOf(entries(['two', 'one']))
      const target = await Target.open()
      await target.apply(await target.plan(catalogOf(entries(['one', 'two']))))
      const plan = await target.plan(after)
      const address = `${name.split(' ')[0]}.a`
      const change = plan.changes.find((one) => one.address === address)
      // Without marks, equal objects exchange their entries without a request.
      if (change === undefined) return
      const { patch } = change
      const both = patch.some((one) => {
        const [was, value] = [one.was, one.op === 'remove' ? '' : one.value].map((side) => JSON.stringify(side))
        return [/one|TX/.test(was ?? ''), /two|WA/.test(value ?? '')].every(Boolean)
      })
      expect([both, patch]).toEqual([true, patch])
      await target.apply({ ...plan, changes: narrow(plan.changes, [address]) as ResourcesPlan['changes'] })
      const left = lines(await target.plan(after))
      // A name that Stripe changes in place needs no other entry.
      const kind = kindNamed(splitAddress(address).kind)
      const isBound = kind !== undefined && (keepsName(kind) || kind.name === 'price')
      expect(left.filter((line) => isBound || line.includes(address))).toEqual([])
    })

    test('stopped after any step, with or without its store', { timeout: 60_000 }, async () => {
      const [from, to] = [entries(['one', 'two', 'three']), entries(['two', 'one', 'four'])]
      const first = await Target.open()
      await first.apply(await first.plan(catalogOf(from)))
      const whole = await first.plan(catalogOf(to))
      await first.apply(whole)
      const expected = await inUse(first)
      const steps = whole.changes.reduce((sum, { steps: one }) => sum + one.length, 0)
      for (let stop = 0; stop < steps; stop++)
        for (const lost of [stop % 2 === 0]) {
          const target = await Target.open()
          await target.apply(await target.plan(catalogOf(from)))
          await target.apply(await target.plan(catalogOf(to)), stop)
          if (lost) target.known = []
          await target.apply(await target.plan(catalogOf(to)))
          const left = lines(await target.plan(catalogOf(to))).filter(
            (line) => !(lost && isUnmarked(name) && line.endsWith('(foreign_object)')),
          )
          expect([stop, lost, ...left]).toEqual([stop, lost])
          expect([stop, lost ? expected : await inUse(target)]).toEqual([stop, expected])
        }
    })
  })
})
