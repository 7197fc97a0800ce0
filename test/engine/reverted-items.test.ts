import { Chalk } from 'chalk'
import { expect, test, vi } from 'vitest'
import { planText } from '../../src/cli/render/plan-text.ts'
import { apply } from '../../src/engine/apply/apply.ts'
import type { Context } from '../../src/engine/context.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import { verify } from '../../src/engine/verify/verify.ts'
import { type Members, members } from './members.ts'
import { boundaries, dieAt, elsewhere, planAndApply, told } from './rig.ts'

vi.setConfig({ testTimeout: 120_000 })

const now = '2026-10-05T12:00:00Z'
// The renewal after the move is on 2026-10-20 at 09:15; its invoice is a draft for an hour.
const one = [{ since: '2026-09-20T09:15:00Z' }] as const
const carried = 'policies: { pending_invoice_items: carry, uncharged_period: invoice }'

/** Moved with an item that waits for the next invoice. */
async function withItem(policies = carried): Promise<Members> {
  const school = await members(one, now)
  const [old] = (await school.us.subscriptions.list({})).data
  await school.us.invoiceItems.create({ customer: old?.customer as string, amount: 777, currency: 'usd' })
  await planAndApply(school.stage('target', policies))
  return school
}

/** The charges of all accounts since the move. */
async function charged({ us, target }: Members): Promise<readonly string[]> {
  const both = [us, target].map(async (client) => (await client.charges.list({})).data)
  return (await Promise.all(both))
    .flat()
    .filter(({ paid, created }) => paid && created > Date.parse(now) / 1_000)
    .toSorted((a, b) => a.created - b.created)
    .map(({ amount }) => String(amount))
}

test('promise 6: the renewal in the target took an item and is still a draft: the old account bills both', async () => {
  await using school = await withItem()
  await school.advance('2026-10-20T09:45:00Z')
  const { plan, result } = await planAndApply(school.stage('source', carried))
  expect(planText(plan, new Chalk({ level: 0 }))).toContain(
    'with the renewal of 2026-10-20 billed by the old account at once: 56.77 usd',
  )
  expect(result.changes).toMatchObject([{ outcome: 'done', periods: [{ amount: 5_677, outcome: 'billed' }] }])
  await school.advance('2026-11-21T00:00:00Z')
  expect(await charged(school)).toEqual(['5677', '4900'])
  expect((await verify(school.stage('source', carried))).violations).toEqual([])
})

test('promise 6: the renewal with the item was declined and is open: the old account bills both', async () => {
  await using school = await withItem()
  const [successor] = (await school.target.subscriptions.list({})).data
  await decline(school, successor?.id ?? '')
  await school.advance('2026-10-21T12:00:00Z')
  const { plan } = await planAndApply(school.stage('source', carried))
  expect(plan.changes).toMatchObject([{ expect: { periods: [{ amount: 5_677, outcome: 'billed' }] } }])
  await school.advance('2026-11-21T00:00:00Z')
  expect(await charged(school)).toEqual(['5677', '4900'])
})

test('promise 12: the same without an invoice for such a period: the item is listed with what is left', async () => {
  const left = 'policies: { pending_invoice_items: carry, uncharged_period: leave }'
  await using school = await withItem(left)
  await school.advance('2026-10-20T09:45:00Z')
  const { plan, result } = await planAndApply(school.stage('source', left))
  expect(plan.changes).toMatchObject([{ expect: { periods: [{ amount: 5_677, outcome: 'left' }] } }])
  expect(result.changes).toMatchObject([{ periods: [{ amount: 5_677, outcome: 'left' }] }])
})

test('promise 6: an item that was added in the target and went onto its renewal is billed by the old account', async () => {
  await using school = await members(one, now)
  await planAndApply(school.stage('target'))
  const [successor] = (await school.target.subscriptions.list({})).data
  const customer = successor?.customer as string
  await school.target.invoiceItems.create({ customer, amount: 1_250, currency: 'usd', description: 'a book' })
  await school.advance('2026-10-20T09:45:00Z')
  await planAndApply(school.stage('source', carried))
  await school.advance('2026-10-20T12:00:00Z')
  expect(await charged(school)).toEqual(['6150'])
})

test('crash anywhere while the period and its item are billed: both once', async () => {
  const clean = await drafted(async (context) => void (await planAndApply(context)))
  for (const boundary of boundaries(clean.requests).filter(({ side }) => side === 'after')) {
    const killed = await drafted(async (context) => {
      await dieAt(context, boundary, planAndApply)
      const other = await elsewhere(context)
      await planAndApply(other)
      await planAndApply(other)
    })
    expect({ at: told(boundary), charges: killed.charges }).toEqual({ at: told(boundary), charges: clean.charges })
  }
})

async function drafted(work: (context: Context) => Promise<void>) {
  await using school = await withItem()
  await school.advance('2026-10-20T09:45:00Z')
  const before = school.rig.sent.length
  await work(school.stage('source', carried))
  const requests = school.rig.sent.length - before
  await school.advance('2026-10-21T12:00:00Z')
  await apply(school.stage('source', carried), await makePlan(school.stage('source', carried)))
  return { requests, charges: await charged(school) }
}

async function decline({ rig }: Members, subscription: string): Promise<void> {
  const body = JSON.stringify({ act: 'decline_card', account: 'target', subscription })
  const answer = await rig.sandbox.fetch('https://sandbox/_sandbox/act', { method: 'POST', body })
  if (!answer.ok) throw new Error(await answer.text())
}
