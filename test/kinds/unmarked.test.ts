import { describe, expect, test } from 'vitest'
import { catalogOf, lines, Target } from './target.ts'

/** One object of each kind without metadata; `more` is added to each entry. */
const entries: Readonly<Record<string, (more: string) => string>> = {
  'tax_registration.t': (more) =>
    `tax_registrations: { t: { country: IE, country_options: { ie: { type: standard, standard: { place_of_supply_scheme: standard } } }${more} } }`,
  'meter.t': (more) =>
    `meters: { t: { display_name: M, event_name: used, default_aggregation: { formula: sum }${more} } }`,
  'payment_method_domain.t': (more) => `payment_method_domains: { t: { domain_name: a.example.com${more} } }`,
  'payment_method_configuration.t': (more) =>
    `payment_method_configurations: { t: { name: Main, card: { display_preference: { preference: "on" } }${more} } }`,
}
const all = (more: string): string =>
  Object.values(entries)
    .map((entry) => entry(more))
    .join('\n')

async function applied(text: string): Promise<Target> {
  const target = await Target.open()
  await target.apply(await target.plan(catalogOf(text)))
  return target
}

describe('promise: losing the state loses nothing: objects without metadata', () => {
  test.each(Object.entries(entries))('retire: true retires %s without the store', async (address, entry) => {
    const target = await applied(entry(''))
    const withStore = lines(await target.plan(catalogOf(entry(', retire: true'))))
    target.known = []
    const plan = await target.plan(catalogOf(entry(', retire: true')))
    expect(lines(plan)).toEqual([`retire ${address} (no longer declared)`])
    expect(lines(plan)).toEqual(withStore)
    await target.apply(plan)
    target.known = []
    expect(await target.plan(catalogOf(entry(', retire: true')))).toMatchObject({ changes: [], blocked: [] })
  })

  test.each(Object.keys(entries))('removed: says that it cannot find %s without the store', async (address) => {
    const target = await applied(all(''))
    const others = Object.entries(entries)
      .filter(([one]) => one !== address)
      .map(([, entry]) => entry(''))
    const text = `${others.join('\n')}\nremoved: [${address}]\n`
    expect(lines(await target.plan(catalogOf(text)))).toEqual([`retire ${address} (no longer declared)`])
    target.known = []
    const plan = await target.plan(catalogOf(text))
    expect(lines(plan)).toEqual([`blocked ${address} (retire_unidentified)`])
    expect(plan.blocked[0]).toMatchObject({ fix: expect.stringContaining('retire: true') as string })
  })

  test('a line under removed: is silent when nothing in use could be meant, or the journal shows its end', async () => {
    const target = await applied(all(''))
    const text = `${all('')}\nremoved: [meter.gone]\n`
    target.known = []
    expect(lines(await target.plan(catalogOf(text)))).toEqual([])
    await target.send('POST', '/v1/billing/meters', {
      display_name: 'Other',
      event_name: 'other',
      default_aggregation: { formula: 'sum' },
    })
    expect(lines(await target.plan(catalogOf(text)))).toEqual(['blocked meter.gone (retire_unidentified)'])
    target.retired = new Set(['meter.gone'])
    expect(lines(await target.plan(catalogOf(text)))).toEqual([])
  })
})

describe('promise: ownership: retire: true retires no object without metadata that may belong to others', () => {
  test('one that differs in what Stripe never changes', async () => {
    const target = await applied(entries['meter.t']?.('') ?? '')
    target.known = []
    const other = (entries['meter.t']?.(', retire: true') ?? '').replace('sum', 'count')
    expect(lines(await target.plan(catalogOf(other)))).toEqual(['blocked meter.t (retire_not_managed)'])
    const [meter] = await target.list('/v1/billing/meters')
    const mapped = await target.plan(catalogOf(other), { mapped: { [meter?.id ?? '']: 'meter.t' } })
    expect(lines(mapped)).toEqual(['retire meter.t (no longer declared)'])
  })

  test('one of several with the same name', async () => {
    const entry = entries['payment_method_configuration.t'] ?? ((more: string) => more)
    const target = await applied(entry(''))
    await target.send('POST', '/v1/payment_method_configurations', { name: 'Main' })
    target.known = []
    expect(lines(await target.plan(catalogOf(entry(', retire: true'))))).toEqual([
      'blocked payment_method_configuration.t (retire_not_managed)',
    ])
  })

  test('one of another entry', async () => {
    const target = await applied(entries['payment_method_configuration.t']?.('') ?? '')
    target.known = []
    const two = `payment_method_configurations:
  t: { name: Main, card: { display_preference: { preference: "on" } } }
  u: { name: Main, card: { display_preference: { preference: "on" } }, retire: true }
`
    expect((await target.plan(catalogOf(two))).changes).toEqual([])
  })
})
