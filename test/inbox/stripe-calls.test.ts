import { afterEach, describe, expect, test } from 'vitest'
import { present } from '../../src/core/assert.ts'
import { acceptSignal } from '../../src/engine/inbox/accept.ts'
import { followAccess } from '../../src/engine/inbox/follow-access.ts'
import { workInbox } from '../../src/engine/inbox/worker.ts'
import type { InboxContext } from '../../src/engine/inbox/context.ts'
import { openRig, type Member, type Rig, type RigOptions } from './rig.ts'

let rig: Rig
let calls: string[] = []
let counting = false
afterEach(() => rig.close())

async function open(options: RigOptions = {}): Promise<void> {
  calls = []
  counting = false
  rig = await openRig({
    ...options,
    between: (fetch) => async (input, init) => {
      const { pathname } = new URL(input instanceof Request ? input.url : input)
      if (counting && pathname.startsWith('/v1/')) calls.push(`${init?.method} ${pathname}`)
      return fetch(input, init)
    },
  })
}

/** What a finished move leaves in the store. */
async function recorded({ subscriber: key, successor }: Member, phase: 'moved' | 'settled'): Promise<void> {
  const facts = { phase, successor: successor ?? null }
  await rig.store.putSubscribers([{ key, phase, facts, updated: rig.now() }])
}

async function cancelled(subscriber: string, context: InboxContext = rig.context): Promise<string | undefined> {
  const common = { source: 'relay', event: 'cancel', offer: 'membership', receivedAt: rig.now() } as const
  const { id } = await acceptSignal(context, { ...common, subscriber, message: subscriber })
  counting = true
  await workInbox(context, 10)
  return (await rig.store.inbox.get(id))?.row.now.state
}

/** The requests until Stripe has confirmed the cancel of the subscription that bills. */
function untilConfirmed(billing: string | undefined): readonly string[] {
  return calls.slice(0, calls.indexOf(`DELETE /v1/subscriptions/${billing}`) + 1)
}

describe('Stripe has confirmed a cancel after at most three requests', () => {
  test('of a settled member', async () => {
    await open()
    const ada = await rig.member('ada', 'settled')
    await recorded(ada, 'settled')
    expect(await cancelled(ada.subscriber)).toBe('done')
    expect(untilConfirmed(ada.successor)).toEqual([
      `GET /v1/subscriptions/${ada.successor}`,
      'GET /v1/invoices',
      `DELETE /v1/subscriptions/${ada.successor}`,
    ])
    expect(calls.length).toBeLessThanOrEqual(15)
  })

  test('of a member on hold, and then ends the held subscription', async () => {
    await open()
    const ada = await rig.member('ada', 'held')
    await recorded(ada, 'moved')
    expect(await cancelled(ada.subscriber)).toBe('done')
    expect(untilConfirmed(ada.successor)).toHaveLength(3)
    expect(await rig.status('us', ada.old)).toBe('canceled')
    // One of them looks for a carried invoice that would still be collected.
    expect(calls.length).toBeLessThanOrEqual(16)
  })

  test('of a member who has not been moved', async () => {
    await open()
    const ada = await rig.member('ada', 'source')
    expect(await cancelled(ada.subscriber)).toBe('done')
    expect(untilConfirmed(ada.old)).toHaveLength(3)
    expect(calls.length).toBeLessThanOrEqual(15)
  })

  test('of a member who subscribed in the target', async () => {
    await open()
    const ada = await rig.member('ada', 'settled')
    const { items } = await rig.stripe('target').subscriptions.retrieve(ada.successor ?? '')
    const price = items.data[0]?.price.id ?? ''
    await rig.stripe('target').subscriptions.cancel(ada.successor ?? '')
    const { id } = await rig.stripe('target').subscriptions.create({ customer: ada.customer, items: [{ price }] })
    const [grant] = await rig.store.inbox.grants({ contact: ada.contact })
    await rig.store.inbox.putGrants([{ ...present(grant, 'grant'), subscribers: [`target/${id}`] }])
    expect(await cancelled(`target/${id}`)).toBe('done')
    expect(untilConfirmed(id)).toHaveLength(3)
  })
})

test('access is decided from one list of each account, however many offers and questions', async () => {
  const lists: string[] = []
  let listing = false
  rig = await openRig({
    between: (fetch) => async (input, init) => {
      const { pathname, searchParams } = new URL(input instanceof Request ? input.url : input)
      if (listing && pathname === '/v1/subscriptions' && searchParams.get('status') === 'all')
        lists.push(new Headers(init?.headers).get('authorization') ?? '')
      return fetch(input, init)
    },
  })
  const ada = await rig.member('ada', 'settled')
  await rig.stripe('target').subscriptions.cancel(ada.successor ?? '')
  listing = true
  expect(await followAccess(rig.context, { customer: ada.customer })).toEqual({ ok: true, value: 1 })
  expect(lists.length).toBe(2)
  expect(new Set(lists).size).toBe(2)
})

describe('where the store says what is no longer so, both accounts are read before anything ends', () => {
  test('the recorded successor is over, and the old subscription bills again', async () => {
    await open()
    const ada = await rig.member('ada', 'held')
    await recorded(ada, 'moved')
    await rig.stripe('target').subscriptions.cancel(ada.successor ?? '')
    await rig.stripe('us').subscriptions.update(ada.old, { pause_collection: '', metadata: { crossbill_hold: '' } })
    expect(await cancelled(ada.subscriber)).toBe('done')
    expect(await rig.status('us', ada.old)).toBe('canceled')
  })

  test('the recorded successor succeeds somebody else', async () => {
    await open()
    const [ada, bo] = [await rig.member('ada', 'held'), await rig.member('bo', 'held')]
    await recorded({ ...ada, successor: bo.successor }, 'moved')
    expect(await cancelled(ada.subscriber)).toBe('done')
    expect(await rig.status('target', ada.successor)).toBe('canceled')
    expect(await rig.status('target', bo.successor)).toBe('active')
  })

  test('the store knows nothing of a move: the new subscription ends first', async () => {
    await open()
    const ada = await rig.member('ada', 'held')
    expect(await cancelled(ada.subscriber)).toBe('done')
    const ends = calls.filter((call) => call.startsWith('DELETE'))
    expect(ends).toEqual([`DELETE /v1/subscriptions/${ada.successor}`, `DELETE /v1/subscriptions/${ada.old}`])
  })

  test('a second live successor ends as well', async () => {
    await open()
    const ada = await rig.member('ada', 'settled')
    await recorded(ada, 'settled')
    const { items } = await rig.stripe('target').subscriptions.retrieve(ada.successor ?? '')
    const price = items.data[0]?.price.id ?? ''
    const metadata = { crossbill_from: ada.subscriber, crossbill_project: 'school' }
    const { id } = await rig
      .stripe('target')
      .subscriptions.create({ customer: ada.customer, items: [{ price }], metadata })
    expect(await cancelled(ada.subscriber)).toBe('done')
    expect(await rig.status('target', id)).toBe('canceled')
  })
})

test('a held subscription ends now, also where members stay until the end of their period', async () => {
  await open({ policy: { cancel: 'period_end' } })
  const ada = await rig.member('ada', 'held')
  await recorded(ada, 'moved')
  expect(await cancelled(ada.subscriber)).toBe('done')
  expect(await rig.status('us', ada.old)).toBe('canceled')
  const { status, cancel_at_period_end: atEnd } = await rig.stripe('target').subscriptions.retrieve(ada.successor ?? '')
  expect([status, atEnd]).toEqual(['active', true])
})
