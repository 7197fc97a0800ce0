import { expect } from 'vitest'
import type { Member, Rig } from '../inbox/rig.ts'
import { until, type Town } from './town.ts'

/**
 * A few by default, since every start of a process costs a second; `CROSSBILL_CANCELS=1000
 * CROSSBILL_KILLS=30` at length.
 */
export const cancels = Number(process.env['CROSSBILL_CANCELS'] ?? 12)
export const kills = Number(process.env['CROSSBILL_KILLS'] ?? 4)
/** Milliseconds that such a test may take on a busy machine. */
export const allowed = 120_000 + cancels * 1_000 + kills * 10_000

export interface School {
  readonly leave: readonly Member[]
  readonly stay: readonly Member[]
}

const stages = ['source', 'held', 'settled'] as const

/** Members at every stage; two of them stay. */
export async function school(rig: Rig, count: number): Promise<School> {
  const leave: Member[] = []
  for (let n = 0; n < count; n++) leave.push(await rig.member(`m${letters(n)}`, stages[n % 3] ?? 'held'))
  return { leave, stay: [await rig.member('stays', 'held'), await rig.member('remains', 'settled')] }
}

/**
 * Times that everything on its way is sent once more. More would be hundreds of thousands of hooks
 * for a thousand wishes.
 */
const repeats = 10

/**
 * Every wish once, now and then everything that is on its way once more: twice, and out of order.
 */
export async function everybodyLeaves(town: Town, { leave }: School): Promise<void> {
  const every = Math.ceil(leave.length / repeats)
  for (const [n, { contact }] of leave.entries()) {
    await town.tag(contact)
    if (n % every === 0) await town.rig.act({ act: 'redeliver' })
  }
}

/**
 * Everyone who wished to is cancelled exactly once, in every account that had them; nobody else is;
 * nothing is left.
 */
export async function allDone({ rig }: Town, { leave, stay }: School): Promise<void> {
  // A hook that Kajabi has given up is found by the poller.
  await until(
    `${leave.length} cancels are done`,
    async () => {
      const { states, oldestPending } = await rig.store.inbox.counts()
      return oldestPending === undefined && states.done >= leave.length
    },
    120 + leave.length,
  )
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

/** Names in which no digit looks like an id. */
function letters(n: number): string {
  return String(n)
    .split('')
    .map((digit) => 'abcdefghij'[Number(digit)])
    .join('')
}
