import { expect } from 'vitest'
import type { Member, Rig } from '../inbox/rig.ts'
import { until, type Town } from './town.ts'

/**
 * A few by default, because every start of a process costs a second. `CROSSBILL_CANCELS=1000
 * CROSSBILL_KILLS=30` runs a long test.
 */
export const cancels = Number(process.env['CROSSBILL_CANCELS'] ?? 12)
export const kills = Number(process.env['CROSSBILL_KILLS'] ?? 4)
/** How much longer than usual a busy machine may take. */
const patience = Number(process.env['CROSSBILL_PATIENCE'] ?? 1)
/** Time limit of these tests in milliseconds. */
export const allowed = patience * (120_000 + cancels * 1_000 + kills * 10_000)

export interface School {
  readonly leave: readonly Member[]
  readonly stay: readonly Member[]
}

const stages = ['source', 'held', 'settled'] as const

/** Members at every stage. Two of them do not cancel. */
export async function school(rig: Rig, count: number): Promise<School> {
  const leave: Member[] = []
  for (let n = 0; n < count; n++) {
    const member = await rig.member(`m${letters(n)}`, stages[n % 3] ?? 'held')
    if (n % 4 === 3) await runBySchedule(rig, member)
    leave.push(member)
  }
  return { leave, stay: [await rig.member('stays', 'held'), await rig.member('remains', 'settled')] }
}

/** A schedule runs what bills the member, so that Stripe refuses to cancel it directly. */
async function runBySchedule(rig: Rig, { old, successor }: Member): Promise<void> {
  const account = successor === undefined ? 'us' : 'target'
  await rig.stripe(account).subscriptionSchedules.create({ from_subscription: successor ?? old })
}

/** The share of requests that fail while members leave. */
export const faultShare = 0.05

/**
 * How often all hooks in progress are sent again. More would be hundreds of thousands of hooks for
 * a thousand requests.
 */
const repeats = 10

/**
 * Sends every request once, and sometimes all requests in progress again: twice and out of order.
 */
export async function everybodyLeaves(town: Town, { leave }: School): Promise<void> {
  const every = Math.ceil(leave.length / repeats)
  for (const [n, { contact }] of leave.entries()) {
    await town.tag(contact)
    if (n % every === 0) await town.rig.act({ act: 'redeliver' })
  }
}

/**
 * Checks that every requested cancel happened exactly once in every account, that no other
 * subscription was cancelled, and that nothing is left.
 */
export async function allDone({ rig, faults }: Town, { leave, stay }: School): Promise<void> {
  // The poller finds tags whose hooks Kajabi gave up.
  await until(
    `${leave.length} cancels are done`,
    async () => {
      // A connection that the restarted database cut fails once.
      const counts = await rig.store.inbox.counts().catch(() => undefined)
      return counts !== undefined && counts.oldestPending === undefined && counts.states.done >= leave.length
    },
    patience * (120 + leave.length),
  )
  expect(faults.met.before + faults.met.after).toBeGreaterThan(0)
  expect(await rig.store.inbox.list({ state: 'dead', limit: 3 })).toEqual([])
  for (const { old, successor } of leave) {
    expect(await rig.status('us', old)).toBe('canceled')
    if (successor !== undefined) expect(await rig.status('target', successor)).toBe('canceled')
  }
  for (const account of ['target', 'us']) {
    const ended = await rig
      .stripe(account)
      .events.list({ type: 'customer.subscription.deleted', limit: 100 })
      .autoPagingToArray({ limit: 10_000 })
    const ids = ended.map(({ data }) => (data.object as { id: string }).id)
    expect(new Set(ids).size).toBe(ids.length)
    const leaving = leave.map(({ old, successor }) => (account === 'us' ? old : successor))
    const wrong = ids.filter((id) => !leaving.includes(id) && !stay.some(({ old }) => old === id))
    expect(wrong).toEqual([])
  }
  for (const { successor, contact } of stay) {
    expect(await rig.status('target', successor)).toBe('active')
    expect(await rig.kajabi.offersOf(contact)).toMatchObject({ value: [expect.anything()] })
  }
}

/** Names without digits, so that none looks like an id. */
function letters(n: number): string {
  return String(n)
    .split('')
    .map((digit) => 'abcdefghij'[Number(digit)])
    .join('')
}
