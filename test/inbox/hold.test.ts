import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { formatInstant, instant } from '../../src/core/instant.ts'
import { acceptSignal } from '../../src/engine/inbox/accept.ts'
import { openBreaker } from '../../src/engine/inbox/breaker.ts'
import type { ReconcileContext } from '../../src/engine/inbox/reconcile.ts'
import { reconcile } from '../../src/engine/inbox/reconcile.ts'
import { workInbox } from '../../src/engine/inbox/worker.ts'
import { applyLease } from '../../src/engine/lease.ts'
import { Killed, mortal } from '../../src/engine/rehearse/mortal.ts'
import { openRig, type Member, type Rig } from './rig.ts'

const mark = '{"before":null}'

let rig: Rig
let ada: Member
beforeEach(async () => {
  rig = await openRig()
  ada = await moved('ada')
})
afterEach(() => rig.close())

/** Moved, as the store knows it, with the hold in the journal as the hand-over leaves it. */
async function moved(name: string, phase = 'moved'): Promise<Member> {
  const member = await rig.member(name, 'held')
  const updated = rig.now()
  await rig.store.putSubscribers([{ key: member.subscriber, phase, facts: { phase }, updated }])
  const id = await rig.store.journalStart({
    run: 'apply-1',
    address: `subscriber.${member.subscriber}`,
    step: 'hold',
    account: 'us',
    method: 'POST',
    path: `/v1/subscriptions/${member.old}`,
    params: { metadata: { crossbill_hold: mark } },
    idempotencyKey: `hold ${name}`,
    attempt: 1,
    startedAt: updated,
  })
  await rig.store.journalEnd(id, { status: 'succeeded', at: updated })
  return member
}
let messages = 0
const signal = async ({ subscriber }: Member): Promise<string> => {
  const receivedAt = rig.now()
  const event = { source: 'source_account', event: 'hold_removed', subscriber, receivedAt } as const
  return (await acceptSignal(rig.context, { ...event, message: `evt_${++messages}` })).id
}
const takeOff = async (member: Member, more: Record<string, unknown> = {}): Promise<string> => {
  await rig.stripe('us').subscriptions.update(member.old, { pause_collection: '', ...more })
  return signal(member)
}
const work = (context: Partial<ReconcileContext> = {}) => workInbox({ ...rig.context, ...context }, 10)
const state = async (id: string): Promise<string> => {
  const now = (await rig.store.inbox.get(id))?.row.now
  return now === undefined ? 'gone' : 'reason' in now ? `${now.state}: ${now.reason}` : now.state
}
const pause = async ({ old }: Member) => {
  const { pause_collection: paused, metadata } = await rig.stripe('us').subscriptions.retrieve(old)
  return [paused?.behavior ?? null, paused?.resumes_at ?? null, metadata['crossbill_hold']]
}
const told = () => rig.alerts.filter(({ key }) => key === `hold_missing ${ada.subscriber}`)
const billed = async (over: { open?: true } = {}): Promise<string> => {
  const stripe = rig.stripe('us')
  const item = { customer: ada.customer, subscription: ada.old, amount: 4_900, currency: 'usd' }
  await stripe.invoiceItems.create(item)
  const made = await stripe.invoices.create({ customer: ada.customer, subscription: ada.old, auto_advance: true })
  if (over.open) await stripe.invoices.finalizeInvoice(made.id ?? '', { auto_advance: true })
  return made.id ?? ''
}

describe('a removed hold', () => {
  test('is restored, with a journal entry and an alert', async () => {
    const id = await takeOff(ada)
    await work()
    expect(await state(id)).toBe('ignored: hold_put_back')
    expect(await pause(ada)).toEqual(['void', null, mark])
    expect(told()).toMatchObject([{ severity: 'critical', fix: 'crossbill verify' }])
    expect(await rig.store.journal({ address: `inbox.${id}` })).toMatchObject([
      { step: `hold us ${ada.old}`, status: 'succeeded' },
    ])
    expect(await rig.store.leaseHolder(applyLease)).toBeUndefined()
  })

  test.each([
    ['with its mark', { pause_collection: '', metadata: { crossbill_hold: '' } }],
    ['by a date on which it would end', { pause_collection: { behavior: 'void', resumes_at: 4_000_000_000 } }],
  ])('%s, is whole again', async (_, change) => {
    const id = await takeOff(ada, change)
    await work()
    expect(await state(id)).toBe('ignored: hold_put_back')
    expect(await pause(ada)).toEqual(['void', null, mark])
  })

  test('does not wait until cancelling resumes', async () => {
    await openBreaker(rig.context, 'too many')
    const request = await acceptSignal(rig.context, {
      source: 'operator',
      event: 'cancel',
      subscriber: ada.subscriber,
      receivedAt: rig.now(),
      message: 'x',
    })
    const id = await takeOff(ada)
    await work()
    expect([await state(id), await state(request.id)]).toEqual(['ignored: hold_put_back', 'received'])
  })

  test('stops the collection of what the old account billed meanwhile, and reports what was paid', async () => {
    const before = await rig.stripe('us').invoices.list({ subscription: ada.old })
    const to = formatInstant(instant(rig.sandbox.clock() + 60))
    await rig.sandbox.fetch('http://sandbox/_sandbox/clock', { method: 'POST', body: JSON.stringify({ to }) })
    const [draft, open] = [await billed(), await billed({ open: true })]
    await takeOff(ada, { metadata: { crossbill_hold: JSON.stringify({ before: null, since: rig.now(), print: '' }) } })
    await work()
    for (const id of [draft, open]) expect((await rig.stripe('us').invoices.retrieve(id)).auto_advance).toBe(false)
    const [{ summary } = { summary: '' }] = told()
    for (const id of [draft, open]) expect(summary).toContain(id)
    expect(before.data.map(({ id }) => id).filter((id) => summary.includes(id ?? ''))).toEqual([])
    await rig.stripe('us').invoices.pay(open)
    await signal(ada)
    await work()
    expect(told().at(-1)?.summary).toMatch(new RegExp(`invoices paid in the meantime in the old account: ${open}`))
  })

  test('waits while an apply runs, however long; a revert is not restored', async () => {
    const lease = await rig.store.acquire(applyLease, 'apply-1', 60)
    const id = await takeOff(ada, { metadata: { crossbill_hold: '' } })
    for (let round = 0; round < 20; round++) {
      await work()
      rig.pass(60)
    }
    expect(await state(id)).toBe('retry: apply_running')
    await rig.stripe('target').subscriptions.cancel(ada.successor ?? '', {
      cancellation_details: { comment: `crossbill undone, back to ${ada.subscriber}` },
    })
    const source = { key: ada.subscriber, phase: 'source', facts: { phase: 'source' }, updated: rig.now() }
    await rig.store.putSubscribers([source])
    await lease?.release()
    await work()
    expect(await state(id)).toBe('ignored: no_live_successor')
    expect(await pause(ada)).toEqual([null, null, undefined])
    expect(rig.alerts.filter(({ key }) => key.startsWith('hold_missing'))).toEqual([])
  })

  test.each([
    ['its successor has ended', 'no_live_successor', /must be settled/],
    ['the store does not know the move', 'not_on_hold_by_the_store', /this store has no record/],
  ])('is not restored when %s, which is reported', async (why, reason, words) => {
    if (why.startsWith('its')) await rig.stripe('target').subscriptions.cancel(ada.successor ?? '')
    else await rig.store.putSubscribers([{ key: ada.subscriber, phase: 'source', facts: {}, updated: rig.now() }])
    const id = await takeOff(ada)
    await work()
    expect(await state(id)).toBe(`ignored: ${reason}`)
    expect(await pause(ada)).toEqual([null, null, mark])
    expect(told()).toMatchObject([{ severity: 'critical', summary: expect.stringMatching(words) as string }])
  })

  test('is not restored when a cancel ends both subscriptions meanwhile, in any order of the two signals', async () => {
    const { sources, target } = rig.accounts
    const us = sources.get('us')
    if (us === undefined) throw new Error('no us')
    const leaving = {
      ...us,
      send: async (request: Parameters<typeof us.send>[0]) => {
        if (request.method === 'POST') {
          await rig.stripe('target').subscriptions.cancel(ada.successor ?? '')
          await rig.stripe('us').subscriptions.cancel(ada.old)
        }
        return us.send(request)
      },
    }
    const ids = [await takeOff(ada), await signal(ada)]
    await work({ accounts: { target, sources: new Map([['us', leaving]]) } })
    for (let round = 0; round < 3; round++) {
      rig.pass(60)
      await work()
    }
    expect(await Promise.all(ids.map(state))).toEqual(['ignored: old_is_over', 'ignored: old_is_over'])
    expect(rig.alerts.filter(({ key }) => /^(dead|hold_missing)/.test(key))).toEqual([])
  })

  test('is reported with a payment that arrives at the moment of the stop', async () => {
    const invoice = await billed({ open: true })
    const id = await takeOff(ada)
    const { sources, target } = rig.accounts
    const us = sources.get('us')
    if (us === undefined) throw new Error('no us')
    const paying = {
      ...us,
      send: async (request: Parameters<typeof us.send>[0]) => {
        if (request.path.startsWith('/v1/invoices/')) await rig.stripe('us').invoices.pay(invoice)
        return us.send(request)
      },
    }
    await work({ accounts: { target, sources: new Map([['us', paying]]) } })
    expect(await state(id)).toBe('ignored: hold_put_back')
    expect(told()[0]?.summary).toMatch(new RegExp(`invoices paid in the meantime in the old account: .*${invoice}`))
    expect(told()[0]?.summary).not.toContain('collection Crossbill stopped')
  })

  test('in the middle of a hand-over is left to recovery', async () => {
    const facts = { phase: 'keeping', job: {} }
    await rig.store.putSubscribers([{ key: ada.subscriber, phase: 'keeping', facts, updated: rig.now() }])
    const id = await takeOff(ada)
    await work()
    expect(await state(id)).toBe('ignored: left_to_recovery')
    expect(await pause(ada)).toEqual([null, null, mark])
  })

  test('is also found without a hook, by the daily reconciliation', async () => {
    await rig.stripe('us').subscriptions.update(ada.old, { pause_collection: '' })
    expect(await reconcile({ ...rig.context, kajabi: undefined })).toMatchObject({ ok: true, value: { holds: 1 } })
    await work()
    expect(await pause(ada)).toEqual(['void', null, mark])
    expect(await reconcile(rig.context)).toMatchObject({ ok: true, value: { holds: 0 } })
  })

  test.each([0, 1, 2].flatMap((request) => [[request, 'before'] as const, [request, 'after'] as const]))(
    'is restored once and reported, killed at request %i, %s it',
    async (request, side) => {
      const invoices = [await billed(), await billed({ open: true })]
      const id = await takeOff(ada)
      const sink = { write: () => Promise.resolve() }
      const { access: _, ...context } = rig.context
      const life = mortal({ ...context, sink, tool: 'test' }, (at) => at.request === request && at.side === side)
      const inbox = new Proxy(rig.store.inbox, {
        get(all, name) {
          if (life.dead()) throw new Killed('killed')
          return Reflect.get(all, name) as unknown
        },
      })
      const { accounts, store } = life.context
      await expect(work({ accounts, store, inbox })).rejects.toThrow(Killed)
      rig.alerts.length = 0
      rig.pass(600)
      // It does not wait for the lease of the dead run.
      await rig.store.breakLease(applyLease)
      await work({ run: 'worker-2' })
      expect(await state(id)).toBe('ignored: hold_put_back')
      expect(await pause(ada)).toEqual(['void', null, mark])
      for (const invoice of invoices)
        expect((await rig.stripe('us').invoices.retrieve(invoice)).auto_advance).toBe(false)
      const [{ summary } = { summary: '' }] = told()
      for (const invoice of invoices) expect(summary).toContain(invoice)
    },
  )
})
