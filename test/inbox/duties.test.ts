import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { acceptSignal } from '../../src/engine/inbox/accept.ts'
import { describeEnding } from '../../src/engine/inbox/ending.ts'
import { pressedLink } from '../../src/engine/inbox/pressed.ts'
import { pollTags, rememberedTags } from '../../src/engine/inbox/poll-tags.ts'
import { pollAccess } from '../../src/engine/inbox/poll.ts'
import { lastReconciliation, reconcile } from '../../src/engine/inbox/reconcile.ts'
import { serviceStatus } from '../../src/engine/inbox/status.ts'
import { workInbox } from '../../src/engine/inbox/worker.ts'
import { declared, openRig, type Member, type Rig, type RigOptions } from './rig.ts'

let rig: Rig
const start = async (options: RigOptions = {}): Promise<void> => {
  await rig.close()
  rig = await openRig(options)
}
beforeEach(async () => {
  rig = await openRig()
})
afterEach(() => rig.close())

const revoked = (member: Member): Promise<unknown> =>
  rig.act({ act: 'revoke', contact: member.contact, offer: rig.access.offers['membership']?.kajabi })
const holds = async (member: Member): Promise<boolean> => {
  const offers = await rig.kajabi.offersOf(member.contact)
  return offers.ok && offers.value.length === 1
}
/** Settled so long ago that the move has no effect any more. */
const longSettled = async (...names: readonly string[]): Promise<readonly [Member, Member, ...Member[]]> => {
  const members: Member[] = []
  for (const name of names) members.push(await rig.member(name, 'settled'))
  rig.pass(8 * 86_400)
  return members as [Member, Member, ...Member[]]
}
const alertKeys = (): string[] => rig.alerts.filter(({ resolved }) => resolved !== true).map(({ key }) => key)

describe('the poller', () => {
  test('finds nothing when all is right', async () => {
    await rig.member('ada', 'held')
    expect(await pollAccess(rig.context)).toEqual({ gone: 0, repaired: 0, signals: 0, read: true })
    expect(alertKeys()).toEqual([])
  })

  test('reports a revoke, and cancels nothing: in Kajabi a revoke is not a cancel', async () => {
    const [ada] = await longSettled('ada', 'bo')
    await revoked(ada)
    const known = new Map()
    expect(await pollAccess(rig.context, known)).toMatchObject({ gone: 1, signals: 0 })
    expect(rig.alerts).toContainEqual(
      expect.objectContaining({
        key: 'offer_gone membership',
        summary: `1 member who pay for membership have lost it in Kajabi: ${ada.subscriber}`,
      }),
    )
    expect(await rig.status('target', ada.successor)).toBe('active')
    await pollAccess(rig.context, known)
    expect(rig.alerts.at(-1)).toMatchObject({ key: 'offer_gone membership', severity: 'warning' })
    expect(rig.alerts.at(-1)?.resolved).toBeUndefined()
  })

  test('with that setting, a revoke that two more reads confirm is a cancel', async () => {
    await start({ offer: { revoked_means: 'cancel' } })
    const [ada, bo] = await longSettled('ada', 'bo')
    await revoked(ada)
    expect(await pollAccess(rig.context)).toMatchObject({ gone: 1, signals: 1 })
    await workInbox(rig.context, 10)
    expect([await rig.status('target', ada.successor), await rig.status('target', bo.successor)]).toEqual([
      'canceled',
      'active',
    ])
    expect(rig.waits).toContain(20)
    expect(await pollAccess(rig.context)).toMatchObject({ gone: 0, signals: 0 })
  })

  test('a revoke that was undone before the second reading has no effect', async () => {
    await start({ offer: { revoked_means: 'cancel' } })
    const [ada] = await longSettled('ada', 'bo')
    await revoked(ada)
    await pollAccess(rig.context)
    const wait = async (): Promise<void> =>
      void (await rig.act({ act: 'grant', contact: ada.contact, offer: rig.access.offers['membership']?.kajabi }))
    await workInbox({ ...rig.context, wait }, 10)
    expect((await rig.store.inbox.list({ limit: 1 }))[0]?.now).toEqual({ state: 'ignored', reason: 'offer_is_there' })
    expect(await rig.status('target', ada.successor)).toBe('active')
  })

  test('many missing at once stop cancelling, instead of a cancel for each', async () => {
    await start({ offer: { revoked_means: 'cancel' } })
    const members = await longSettled('a', 'b', 'c', 'd', 'e', 'f')
    for (const member of members.slice(0, 5)) await revoked(member)
    await pollAccess(rig.context)
    expect(await rig.store.inbox.list({ limit: 10 })).toEqual([])
    expect((await workInbox(rig.context, 10)).breaker).toMatchObject({
      open: true,
      reason: '5 of 6 lost offer membership in Kajabi at once',
    })
    expect(alertKeys()).toContain('breaker')
    expect(await rig.status('target', members[0].successor)).toBe('active')
  })

  test('an empty page stops cancelling: the contacts themselves show the opposite', async () => {
    let empty = false
    await start({
      offer: { revoked_means: 'cancel' },
      between: (fetch) => async (input, init) => {
        const url = input instanceof Request ? input.url : String(input)
        return empty && url.includes('/kajabi/v1/contacts?')
          ? Response.json({ data: [], links: {} })
          : fetch(input, init)
      },
    })
    const [ada] = await longSettled('ada', 'bo')
    empty = true
    expect(await pollAccess(rig.context)).toMatchObject({ gone: 2, repaired: 0, signals: 0 })
    expect((await workInbox(rig.context, 10)).breaker.open).toBe(true)
    expect(await rig.status('target', ada.successor)).toBe('active')
  })

  test('a list that lacks a member has no effect when the contact itself has the offer', async () => {
    let hidden = ''
    await start({
      offer: { revoked_means: 'cancel' },
      between: (fetch) => async (input, init) => {
        const url = input instanceof Request ? input.url : String(input)
        const answer = await fetch(input, init)
        if (hidden === '' || !url.includes('has_offer_id')) return answer
        const body = (await answer.json()) as { data: { id: string }[] }
        return Response.json({ ...body, data: body.data.filter(({ id }) => id !== hidden) })
      },
    })
    const [ada] = await longSettled('ada', 'bo')
    hidden = ada.contact
    expect(await pollAccess(rig.context)).toMatchObject({ gone: 1, repaired: 0, signals: 0 })
    expect(alertKeys()).toEqual([])
    expect(rig.lines.map(({ event }) => event)).toContain('lists_disagree')
  })

  test('an unreadable Kajabi has no effect', async () => {
    await start({
      between: (fetch) => async (input, init) => {
        const url = input instanceof Request ? input.url : String(input)
        return url.includes('/kajabi/v1/contacts?') ? new Response('<html>', { status: 200 }) : fetch(input, init)
      },
    })
    const ada = await rig.member('ada', 'held')
    await revoked(ada)
    expect(await pollAccess(rig.context)).toEqual({ gone: 0, repaired: 0, signals: 0, read: false })
    expect(await rig.store.inbox.list({ limit: 10 })).toEqual([])
  })
})

describe('a tag whose hook never came', () => {
  test('is found by two readings, verified, processed once, and forgotten when it is removed', async () => {
    const [ada, bo] = [await rig.member('ada', 'held'), await rig.member('bo', 'held')]
    await rig.act({ act: 'add_tag', contact: ada.contact, tag: rig.tag })
    const seen = new Map()
    expect([
      await pollTags(rig.context, seen),
      await pollTags(rig.context, seen),
      await pollTags(rig.context, seen),
    ]).toEqual([0, 1, 0])
    await workInbox(rig.context, 10)
    expect([await rig.status('target', ada.successor), await rig.status('target', bo.successor)]).toEqual([
      'canceled',
      'active',
    ])
    expect(await pollTags(rig.context, seen)).toBe(0)
    expect(seen.size).toBe(0)
  })

  test('a tag set again while no process looked is another request, not the finished one', async () => {
    const ada = await rig.member('ada', 'held')
    await rig.act({ act: 'add_tag', contact: ada.contact, tag: rig.tag })
    const seen = new Map()
    for (const _ of [1, 2]) await pollTags(rig.context, seen)
    await workInbox(rig.context, 10)
    expect(await rig.status('target', ada.successor)).toBe('canceled')
    // It is done, and the tag is removed. The service stops; meanwhile the member sets the tag
    // again.
    await rig.act({ act: 'add_tag', contact: ada.contact, tag: rig.tag })
    const restarted = await rememberedTags(rig.context)
    expect(restarted.size).toBe(1)
    expect([await pollTags(rig.context, restarted), await pollTags(rig.context, restarted)]).toEqual([0, 1])
  })
})

describe('what Crossbill itself causes', () => {
  test('has no effect when it returns: its cancel, its revoke, the old integration that receives it', async () => {
    await start({ offer: { revoked_means: 'cancel' } })
    const [ada, bo] = [await rig.member('ada', 'held'), await rig.member('bo', 'held')]
    await acceptSignal(rig.context, {
      source: 'link',
      event: 'cancel',
      subscriber: ada.subscriber,
      receivedAt: rig.now(),
      message: 'x',
    })
    await workInbox(rig.context, 10)
    expect(await holds(ada)).toBe(false)
    expect(await pollAccess(rig.context)).toEqual({ gone: 0, repaired: 0, signals: 0, read: true })
    expect(await rig.store.inbox.list({ limit: 10 })).toHaveLength(1)
    expect(await holds(bo)).toBe(true)
  })

  test('access follows a subscription that ended, and stays while another one pays', async () => {
    const [ada, bo] = [await rig.member('ada', 'settled'), await rig.member('bo', 'settled')]
    const [grant] = await rig.store.inbox.grants({ contact: bo.contact })
    if (grant === undefined) throw new Error('no grant')
    await rig.store.inbox.putGrants([{ ...grant, subscribers: [bo.subscriber, ada.subscriber] }])
    await rig.stripe('target').subscriptions.cancel(bo.successor ?? '')
    const ended = (customer: string, message: string) =>
      acceptSignal(rig.context, {
        source: 'target_account',
        event: 'subscription_ended',
        customer,
        receivedAt: rig.now(),
        message,
      })
    await ended(bo.customer, 'evt_1')
    await workInbox(rig.context, 10)
    expect(await holds(bo)).toBe(true)
    await rig.stripe('target').subscriptions.cancel(ada.successor ?? '')
    await ended(ada.customer, 'evt_2')
    await ended(bo.customer, 'evt_3')
    await workInbox(rig.context, 10)
    expect([await holds(ada), await holds(bo)]).toEqual([false, false])
    expect((await rig.store.inbox.list({ limit: 10 })).map(({ now }) => now.state)).toEqual([
      'ignored',
      'ignored',
      'ignored',
    ])
  })
})

describe('a form', () => {
  const submitted = async (email: string): Promise<string> => {
    const { submission = '' } = await rig.act({ act: 'submit_form', form: rig.form, email, name: 'Somebody' })
    const { id } = await acceptSignal(rig.context, {
      source: 'form',
      event: 'form_submission',
      offer: 'membership',
      receivedAt: rig.now(),
      message: submission,
    })
    return id
  }
  const outcome = async (id: string) => (await rig.store.inbox.get(id))?.row.now
  const mails: { email: string; subscriber: string; offer: string }[] = []
  const mailing = () => ({
    ...rig.context,
    mailLink: (mail: { email: string; subscriber: string; offer: string }) => {
      mails.push(mail)
      return Promise.resolve({ ok: true, value: true } as const)
    },
  })
  beforeEach(() => void mails.splice(0))

  test('sends a link to the typed address, and cancels nothing', async () => {
    const ada = await rig.member('ada', 'held')
    const id = await submitted('Ada@School.example')
    await workInbox(mailing(), 10)
    expect(mails).toMatchObject([{ subscriber: ada.subscriber, offer: 'membership' }])
    expect(await outcome(id)).toEqual({ state: 'ignored', reason: 'confirmation_link_sent' })
    expect(await rig.status('target', ada.successor)).toBe('active')
    expect(JSON.stringify([await rig.store.inbox.get(id), rig.lines])).not.toContain('@')
  })

  test('with an unknown address ends without a message', async () => {
    const id = await submitted('nobody@school.example')
    await workInbox(mailing(), 10)
    expect(mails).toEqual([])
    expect(await outcome(id)).toEqual({ state: 'ignored', reason: 'nobody_has_this' })
  })

  test('without a mailer is a dead letter', async () => {
    await rig.member('ada', 'held')
    const id = await submitted('ada@school.example')
    await workInbox(rig.context, 10)
    expect(await outcome(id)).toMatchObject({ state: 'dead', reason: expect.stringContaining('no_mailer') as string })
  })
})

describe('reconciliation', () => {
  test('revokes unpaid offers, reports missing ones, and records its time', async () => {
    const [ada, bo] = [await rig.member('ada', 'settled'), await rig.member('bo', 'settled')]
    await rig.stripe('target').subscriptions.cancel(ada.successor ?? '')
    await revoked(bo)
    const catalog = { ...rig.context.catalog, subscribers: [declared(ada), declared(bo)] }
    const result = await reconcile({
      ...rig.context,
      catalog,
      hooks: { publicUrl: 'https://c.example', secrets: ['s'.repeat(32)] },
    })
    expect(result).toMatchObject({ ok: true, value: { missing: 1, taken: 1, hooksCreated: 2 } })
    expect(await holds(ada)).toBe(false)
    expect(await lastReconciliation(rig.context)).toMatchObject({ missing: 1, taken: 1 })
    expect(alertKeys()).toEqual(expect.arrayContaining(['reconciliation', 'hook_missing']))
  })

  test('runs one at a time: two at once do not both create the hooks', async () => {
    const hooks = { publicUrl: 'https://c.example', secrets: ['s'.repeat(32)] }
    const both = ['operator', 'service'].map((run) => reconcile({ ...rig.context, run, hooks }))
    const created = (await Promise.all(both)).map((one) => (one.ok ? one.value.hooksCreated : -1))
    expect(created.toSorted((a, b) => a - b)).toEqual([0, 2])
    expect(await rig.kajabi.hooks()).toMatchObject({ ok: true, value: { length: 2 } })
  })

  test('finds no difference when every member has the paid offers', async () => {
    const ada = await rig.member('ada', 'held')
    const catalog = { ...rig.context.catalog, subscribers: [declared(ada)] }
    expect(await reconcile({ ...rig.context, catalog })).toMatchObject({ ok: true, value: { missing: 0, taken: 0 } })
    expect(alertKeys()).toEqual([])
  })
})

describe('what is shown', () => {
  test('to a member: what ends, when, and which payment is not taken', async () => {
    const ada = await rig.member('ada', 'held')
    const now = await describeEnding(rig.context, ada.subscriber)
    expect(now).toMatchObject({
      ok: true,
      value: { state: 'live', products: ['Formulation Membership'], endsAt: rig.now() },
    })
    const later = await describeEnding(
      { ...rig.context, policy: { ...rig.context.policy, cancel: 'period_end' } },
      ada.subscriber,
    )
    expect(later.ok && later.value.endsAt).toBeGreaterThan(rig.now() + 27 * 86_400)
    expect(later.ok && later.value.nextPayment).toBe(later.ok && later.value.endsAt)
    expect(later).toMatchObject({ value: { nextAmount: { amount: 4_900, currency: 'usd' } } })
    await rig.stripe('target').subscriptions.update(ada.successor ?? '', { cancel_at_period_end: true })
    const ending = await describeEnding(rig.context, ada.subscriber)
    expect(ending).toMatchObject({ value: { state: 'ending', nextPayment: undefined } })
    expect(ending.ok && ending.value.endsAt).toBe(later.ok && later.value.endsAt)
    await rig.stripe('target').subscriptions.cancel(ada.successor ?? '')
    await rig.stripe('us').subscriptions.cancel(ada.old)
    expect(await describeEnding(rig.context, ada.subscriber)).toMatchObject({ ok: true, value: { state: 'ended' } })
  })

  test('to a member who used the link: the status of the request', async () => {
    const ada = await rig.member('ada', 'held')
    const press = (message: string, subscriber: string) =>
      acceptSignal(rig.context, { source: 'link', event: 'cancel', subscriber, receivedAt: rig.now(), message })
    expect(await pressedLink(rig.context, 'a')).toBe('no')
    const { id } = await press('a', ada.subscriber)
    expect((await press('a', ada.subscriber)).id).toBe(id)
    expect(await pressedLink(rig.context, 'a')).toBe('waiting')
    await workInbox(rig.context, 10)
    expect(await pressedLink(rig.context, 'a')).toBe('done')
    await press('b', 'us/sub_none')
    await workInbox(rig.context, 10)
    expect(await pressedLink(rig.context, 'b')).toBe('person')
    const { id: other } = await press('c', ada.subscriber)
    const now = { state: 'ignored', reason: 'changed their mind' } as const
    await rig.store.inbox.change(other, { now, note: { at: rig.now(), state: 'ignored', text: '' } })
    expect(await pressedLink(rig.context, 'c')).toBe('over')
  })

  test('to people on call: what waits, what failed, and why', async () => {
    const { contact = '' } = await rig.act({ act: 'make_contact', email: 'stranger@school.example', name: 'S' })
    await acceptSignal(rig.context, {
      source: 'relay',
      event: 'cancel',
      offer: 'membership',
      contact,
      receivedAt: rig.now(),
      message: 'x',
    })
    rig.pass(90)
    expect(await serviceStatus(rig.context)).toMatchObject({
      oldestPendingSeconds: 90,
      states: { received: 1 },
      dead: [],
    })
    await workInbox(rig.context, 10)
    expect(await serviceStatus(rig.context)).toMatchObject({
      oldestPendingSeconds: undefined,
      states: { received: 0, dead: 1 },
      breaker: undefined,
      dead: [{ state: 'dead', reason: 'nobody' }],
    })
  })
})
