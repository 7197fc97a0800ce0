import { expect, test } from 'vitest'
import { rehearsalWorlds } from '../../src/cli/rehearsal/worlds.ts'
import { rehearse } from '../../src/engine/rehearse/rehearse.ts'
import type { RehearsalReport } from '../../src/engine/rehearse/report.ts'
import { openSchool } from './school.ts'

/** So small a school has one member with Link and one with a direct debit, which no copy brings. */
const subscribers = 170
const policies = `policies: { customer_balance: carry, pending_invoice_items: carry, past_due: leave, schedules: carry, collection_paused: carry,
  tax: recompute, tax_accepted: [DE, FR, GB, US, CA, IE, NL, AU, JP, KW], applications: { ca_SamCartConnect0000000000000000: open_ended },
  leave: { metered_price: by usage, past_due: unpaid, collection_paused: nobody pays, mixed_intervals: two intervals } }
`

async function rehearsed(
  assumed: { readonly answering?: number; readonly declines?: number; readonly moveDeclines?: number },
  people = subscribers,
  decided = policies,
): Promise<RehearsalReport> {
  await using school = await openSchool(people, 1, decided)
  const project = { ...school.rig.context, catalog: school.catalog }
  school.rig.sent.length = 0
  const worlds = rehearsalWorlds(project)
  const report = await rehearse(project, { months: 2, faults: false, seed: 3, worlds, ...assumed })
  // The members act in the simulated world alone.
  expect(school.rig.sent).toEqual([])
  return report
}

const cardCodes = ['payment_method_not_copyable', 'payment_method_unmapped']
const withoutCard = ({ standing }: RehearsalReport): readonly string[] =>
  standing.filter(({ code }) => cardCodes.includes(code)).map(({ subscriber }) => subscriber)

test('members who answer move, and are charged as before; those who do not are left and named with their money', async () => {
  const [all, none] = [await rehearsed({ answering: 1 }), await rehearsed({ answering: 0 })]
  expect(none.answering?.asked).toBeGreaterThan(1)
  expect(none.answering).toEqual({ share: 0, asked: none.answering?.asked, entered: 0 })
  expect(all.answering).toEqual({ share: 1, asked: none.answering?.asked, entered: none.answering?.asked })
  expect(withoutCard(all)).toEqual([])
  expect(withoutCard(none).length).toBeGreaterThan(1)
  for (const one of none.standing.filter(({ subscriber }) => withoutCard(none).includes(subscriber)))
    expect(one.monthly?.amount).toBeGreaterThan(0)
  for (const report of [all, none]) {
    expect(report.differences).toEqual([])
    expect(report.counts.actual).toBe(report.counts.expected)
  }
}, 240_000)

test('a debt that the move carries is collected once, and usage is billed by one account at a time', async () => {
  const carried = policies
    .replace('past_due: leave,', 'past_due: carry, metered: carry,')
    .replace('metered_price: by usage, ', '')
  const report = await rehearsed({ answering: 1 }, subscribers, carried)
  expect(report.carriedInvoices).toBeGreaterThan(0)
  expect(report.differences).toEqual([])
  expect(report.standing.filter(({ code }) => code === 'metered_price')).toEqual([])
}, 240_000)

test('refused cards are refused in both runs, so the charges stay the same', async () => {
  const report = await rehearsed({ declines: 0.5 }, 24)
  const refused = report.members.find(({ act }) => act === 'has a card that is refused')
  expect(refused?.count).toBeGreaterThan(5)
  expect(report.differences).toEqual([])
  expect(report.declines.expected).toBeGreaterThan(0)
  expect(report.answering).toBeUndefined()
}, 240_000)

test('cards refused because of the move are counted apart: their payments come later, and none is lost', async () => {
  const report = await rehearsed({ moveDeclines: 0.5 }, 24)
  expect(report.moveDeclines?.cards).toBeGreaterThan(3)
  expect(report.moveDeclines?.late).toBeGreaterThan(0)
  expect([report.ok, report.differences]).toEqual([true, []])
  expect(report.declines.actual).toBeGreaterThan(report.declines.expected)
  expect(report.counts.actual).toBeGreaterThan(report.counts.expected - (report.moveDeclines?.cards ?? 0))
}, 240_000)
