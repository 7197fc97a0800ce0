import { expect, test } from 'vitest'
import { explain } from '../../src/engine/explain/explain.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import type { Context } from '../../src/engine/context.ts'
import type { StripeAccount } from '../../src/engine/ports.ts'
import { openSchool } from './school.ts'

const policies = `policies: { customer_balance: carry, pending_invoice_items: carry, schedules: carry }
`

/** Counts the requests of a context, and the lists that are not narrowed to a customer. */
function counting(context: Context): { context: Context; requests: string[] } {
  const requests: string[] = []
  const watch = (account: StripeAccount): StripeAccount => ({
    ...account,
    send: (request) => (requests.push(`${account.name} ${request.path}`), account.send(request)),
    list: (path, params) => {
      const narrow = params?.['customer'] ?? params?.['email'] ?? params?.['subscription']
      requests.push(`${account.name} ${path}${narrow === undefined ? ' (all)' : ''}`)
      return account.list(path, params)
    },
    retrieve: (path, params) => (requests.push(`${account.name} ${path}`), account.retrieve(path, params)),
  })
  const { target, sources } = context.accounts
  const accounts = {
    target: watch(target),
    sources: new Map([...sources].map(([name, one]) => [name, watch(one)])),
  }
  return { context: { ...context, accounts }, requests }
}

test('explain says of a person what the plan says, for every code of a school, with few requests', async () => {
  await using school = await openSchool(400, 4711, policies)
  const { context, requests } = counting(school.stage('target'))
  const plan = await makePlan(context)
  const said = new Map<string, { address: string; code: string; message?: string }[]>()
  for (const one of [...plan.blocked, ...plan.deferred]) said.set(one.address, [...(said.get(one.address) ?? []), one])
  const codes = new Set<string>()
  for (const [address, all] of said) {
    if (all.every(({ code }) => codes.has(code))) continue
    for (const { code } of all) codes.add(code)
    requests.length = 0
    const key = address.slice('subscriber.'.length)
    const { subscribers } = await explain(context, school.rig.inbox, key)
    const [about] = subscribers
    expect(about?.subscriber).toBe(key)
    const found = (about?.findings ?? []).filter(({ list }) => list === 'blocked' || list === 'deferred')
    expect({ key, said: found.map(({ code, message }) => [code, message]) }).toEqual({
      key,
      said: all.map(({ code, message }) => [code, message]),
    })
    for (const { meaning, fix } of found) expect([meaning, fix]).not.toContain('')
    expect(about?.next.length).toBeGreaterThan(0)
    const people = requests.filter((one) => one.endsWith('(all)') && !/products|prices|coupons|tax_rates/.test(one))
    expect({ key, people }).toEqual({ key, people: [] })
    expect(requests.length).toBeLessThan(120)
  }
  expect([...codes].toSorted()).toMatchInlineSnapshot(`
    [
      "anchor_not_yet_allowed",
      "collection_paused",
      "managed_by_application",
      "metered_price",
      "open_invoice",
      "past_due",
      "payment_in_flight",
      "payment_method_not_copyable",
      "payment_method_unmapped",
      "renews_soon",
    ]
  `)
})
