import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readKajabiHook } from '../../src/cancel/kajabi-hook.ts'
import { readStripeEvent } from '../../src/cancel/stripe-event.ts'
import type { Json, JsonObject } from '../../src/core/json.ts'
import { acceptSignal } from '../../src/engine/inbox/accept.ts'
import { pollTags, rememberedTags } from '../../src/engine/inbox/poll-tags.ts'
import { pollAccess } from '../../src/engine/inbox/poll.ts'
import { readBackProducts } from '../../src/engine/inbox/read-back.ts'
import { reconcile } from '../../src/engine/inbox/reconcile.ts'
import { workInbox } from '../../src/engine/inbox/worker.ts'
import { declared, openRig, type Member, type Rig, type RigOptions } from './rig.ts'

const hour = 3_600
const day = 24 * hour

/** Where a revoke would be a cancel if the service mistook it for a request. */
const strict: RigOptions = { offer: { revoked_means: 'cancel' } }

let rig: Rig
const start = async (options: RigOptions): Promise<void> => {
  await rig.close()
  rig = await openRig(options)
}
beforeEach(async () => {
  rig = await openRig(strict)
})
afterEach(() => rig.close())

const offer = (): string => rig.access.offers['membership']?.kajabi ?? ''
const revoked = (member: Member): Promise<unknown> =>
  rig.act({ act: 'revoke', contact: member.contact, offer: offer() })
const holds = async (member: Member): Promise<boolean> => {
  const offers = await rig.kajabi.offersOf(member.contact)
  return offers.ok && offers.value.includes(offer())
}
const opens = async (member: Member): Promise<boolean> => {
  const [product = ''] = await valueOf(rig.kajabi.productsOf(offer()))
  return (await valueOf(rig.kajabi.openFor(product))).includes(member.contact)
}
async function valueOf<T>(asked: Promise<{ ok: true; value: T } | { ok: false }>): Promise<T> {
  const answer = await asked
  if (!answer.ok) throw new Error('Kajabi did not answer')
  return answer.value
}
/** All processes have run: no subscription was cancelled, and no signal waits. */
const nobodyCancelled = async (...members: readonly Member[]): Promise<void> => {
  await workInbox(rig.context, 100)
  for (const { successor } of members) expect(await rig.status('target', successor)).toBe('active')
  const rows = await rig.store.inbox.list({ limit: 100 })
  expect(rows.filter(({ now }) => now.state !== 'ignored')).toEqual([])
}
/** The state of a subscription in one account, as a webhook would deliver it. */
const heard = async (account: 'us' | 'target', type: string) => {
  const { data } = await rig.stripe(account).events.list({ type })
  return data.map((event) => readStripeEvent(account, account === 'target', event as unknown as JsonObject, rig.now()))
}

describe('never returns as a cancel, and missing access is repaired', () => {
  test('a revoke-then-grant repair: switched-off products are opened again, and the gap in between is no request', async () => {
    const [ada, bo] = [await rig.member('ada', 'settled'), await rig.member('bo', 'settled')]
    await rig.act({ act: 'switch_off_products', contact: ada.contact, offer: offer() })
    expect([await holds(ada), await opens(ada), await opens(bo)]).toEqual([true, false, true])
    const between: unknown[] = []
    const kajabi = {
      ...rig.kajabi,
      revoke: async (...args: Parameters<typeof rig.kajabi.revoke>) => {
        const outcome = await rig.kajabi.revoke(...args)
        // Another process looks at this moment.
        between.push(await pollAccess({ ...rig.context, inbox: { ...rig.store.inbox } }))
        return outcome
      },
    }
    expect(await readBackProducts({ ...rig.context, kajabi })).toEqual({ ok: true, value: { dark: 0, repaired: 1 } })
    expect(between).toMatchObject([{ gone: 1, repaired: 1, signals: 0 }])
    expect([await holds(ada), await opens(ada), await opens(bo)]).toEqual([true, true, true])
    await nobodyCancelled(ada, bo)
  })

  test('a repair that dies between revoke and grant is finished by the next look', async () => {
    const [ada, bo] = [await rig.member('ada', 'settled'), await rig.member('bo', 'settled')]
    // Long after the settle: only the repair itself protects it.
    rig.pass(6.9 * day)
    await rig.act({ act: 'switch_off_products', contact: ada.contact, offer: offer() })
    const kajabi = { ...rig.kajabi, grant: () => Promise.reject(new Error('killed')) }
    await expect(readBackProducts({ ...rig.context, kajabi })).rejects.toThrow('killed')
    expect(await holds(ada)).toBe(false)
    rig.pass(0.2 * day)
    expect(await pollAccess(rig.context)).toMatchObject({ gone: 1, repaired: 1, signals: 0 })
    expect(await opens(ada)).toBe(true)
    await nobodyCancelled(ada, bo)
  })

  test('a settle in the old account', async () => {
    const [ada, bo] = [await rig.member('ada', 'settled'), await rig.member('bo', 'held')]
    expect(await heard('us', 'customer.subscription.deleted')).toEqual([{ ignored: 'caused_by_us' }])
    expect(await pollAccess(rig.context)).toMatchObject({ gone: 0, signals: 0 })
    expect(await holds(ada)).toBe(true)
    await nobodyCancelled(ada, bo)
  })

  test.each([
    ['minutes after settling', 300],
    ['six days after settling, a month after the grant', 6 * day],
  ])('an old integration that revokes access %s, of a whole wave at once', async (_, later) => {
    const members: Member[] = []
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) members.push(await rig.member(name, 'settled'))
    const grants = await rig.store.inbox.grants()
    await rig.store.inbox.putGrants(
      grants.map((grant) => ({ ...grant, grantedAt: (rig.now() - 30 * day) as typeof grant.grantedAt })),
    )
    rig.pass(later)
    for (const member of members) await revoked(member)
    expect(await pollAccess(rig.context)).toEqual({ gone: 6, repaired: 6, signals: 0, read: true })
    for (const member of members) expect(await holds(member)).toBe(true)
    await nobodyCancelled(...members)
  })

  test('an old integration that revokes its own grant, before Crossbill needed one', async () => {
    const [ada, bo, cy] = [
      await rig.member('ada', 'settled'),
      await rig.member('bo', 'held'),
      await rig.member('cy', 'source'),
    ]
    await rig.store.inbox.removeGrants(await rig.store.inbox.grants())
    const catalog = { ...rig.context.catalog, subscribers: [declared(ada), declared(bo), declared(cy)] }
    const reconciled = (): Promise<unknown> => reconcile({ ...rig.context, catalog })
    await reconciled()
    expect(await rig.store.inbox.grants()).toEqual([])
    for (const member of [ada, bo, cy]) await revoked(member)
    await rig.act({ act: 'grant', contact: bo.contact, offer: offer() })
    // A reading of everything in between forgets no member.
    await reconciled()
    expect(await pollAccess(rig.context)).toMatchObject({ gone: 2, repaired: 1, signals: 0 })
    expect([await holds(ada), await holds(bo), await holds(cy)]).toEqual([true, true, false])
    const grants = await rig.store.inbox.grants()
    expect(grants).toMatchObject([{ contact: ada.contact, customer: ada.customer, subscribers: [ada.subscriber] }])
    expect(rig.alerts.map(({ key }) => key)).not.toContain('breaker')
    await workInbox(rig.context, 100)
    expect(await rig.status('target', ada.successor)).toBe('active')
  })

  test('an old integration that revokes while the old subscription is still held, weeks after the grant', async () => {
    const [ada, bo] = [await rig.member('ada', 'held'), await rig.member('bo', 'held')]
    rig.pass(25 * day)
    await revoked(ada)
    expect(await pollAccess(rig.context)).toMatchObject({ gone: 1, repaired: 1, signals: 0 })
    expect(await holds(ada)).toBe(true)
    await nobodyCancelled(ada, bo)
  })

  test('a signal made before the hold was known is refuted by reading', async () => {
    const [ada, bo] = [await rig.member('ada', 'held'), await rig.member('bo', 'held')]
    await revoked(ada)
    const said = { offer: 'membership', contact: ada.contact, customer: ada.customer, message: 'early' }
    await acceptSignal(rig.context, { source: 'poller', event: 'offer_gone', receivedAt: rig.now(), ...said })
    await nobodyCancelled(ada, bo)
    expect((await rig.store.inbox.list({ limit: 1 }))[0]?.now).toMatchObject({ reason: 'protected_repair_instead' })
  })

  test.each([
    ['while its member is being moved: given again', 'held', 0, { repaired: 1 }, true],
    ['long after: somebody is told', 'settled', 10, { repaired: 0 }, false],
  ] as const)('an access timer that runs out, %s', async (_, stage, days, poll, there) => {
    await start({ offer: { revoked_means: 'cancel', day_limit: 30 }, accessDays: 30 })
    const [ada, bo] = [await rig.member('ada', stage), await rig.member('bo', stage)]
    await rig.advance(31 * day)
    rig.pass(days * day)
    expect(await holds(ada)).toBe(false)
    await rig.act({ act: 'grant', contact: bo.contact, offer: offer() })
    expect(await pollAccess(rig.context)).toMatchObject({ gone: 1, signals: 0, ...poll })
    expect(await holds(ada)).toBe(there)
    await nobodyCancelled(ada, bo)
  })

  test('Crossbill’s own cancel, and every event that it causes', async () => {
    const sent: string[] = []
    await start({
      ...strict,
      deliver: async (_, init) => {
        if (typeof init?.body === 'string') sent.push(init.body)
        return new Response(null, { status: 200 })
      },
    })
    await rig.kajabi.createHook({ url: 'https://c.example/kajabi/hooks/x', event: 'tag_removed', resource: rig.tag })
    const [ada, bo] = [await rig.member('ada', 'held'), await rig.member('bo', 'held')]
    await rig.act({ act: 'add_tag', contact: ada.contact, tag: rig.tag })
    const tagged = { contact: ada.contact, tag: rig.tag, offer: 'membership', message: 'x' }
    await acceptSignal(rig.context, { source: 'hook', event: 'tag_added', receivedAt: rig.now(), ...tagged })
    await workInbox(rig.context, 10)
    expect([await rig.status('target', ada.successor), await rig.status('us', ada.old)]).toEqual([
      'canceled',
      'canceled',
    ])
    expect(await holds(ada)).toBe(false)
    expect(await heard('us', 'customer.subscription.deleted')).toEqual([{ ignored: 'caused_by_us' }])
    for (const { signal, notice } of await heard('target', 'customer.subscription.deleted')) {
      expect(notice).toBeUndefined()
      if (signal !== undefined) await acceptSignal(rig.context, signal)
    }
    await rig.advance(60)
    expect(sent).toHaveLength(1)
    for (const body of sent)
      expect(readKajabiHook(body, JSON.parse(body) as Json, rig.access, rig.now())).toEqual({
        ignored: 'event_never_acts',
      })
    expect(await pollAccess(rig.context)).toEqual({ gone: 0, repaired: 0, signals: 0, read: true })
    await workInbox(rig.context, 10)
    const { data } = await rig.stripe('target').events.list({ type: 'customer.subscription.deleted' })
    expect(data).toHaveLength(1)
    expect([await rig.status('target', bo.successor), await holds(bo)]).toEqual(['active', true])
  })
})

describe('a fully paid payment plan', () => {
  test('with the automation "payments cancelled" cancels nothing else of its member, and its tag is removed', async () => {
    const sent: string[] = []
    await start({
      ...strict,
      deliver: async (_, init) => {
        if (typeof init?.body === 'string') sent.push(init.body)
        return new Response(null, { status: 200 })
      },
    })
    const ada = await rig.member('ada', 'held')
    const { offer: plan = '' } = await rig.act({ act: 'make_offer', title: 'Haircare in three', kind: 'payment_plan' })
    const { tag = '' } = await rig.act({ act: 'make_tag', name: 'cancel-haircare' })
    const haircare = { kajabi: plan, prices: ['haircare'], cancel_tags: [tag] }
    const context = { ...rig.context, access: { ...rig.access, offers: { ...rig.access.offers, haircare } } }
    await rig.kajabi.createHook({ url: 'https://c.example/kajabi/hooks/x', event: 'tag_added', resource: tag })
    await rig.act({ act: 'purchase', contact: ada.contact, offer: plan })
    await rig.act({ act: 'payments_cancelled', contact: ada.contact, tag })
    await rig.advance(60)
    const heardSignals = sent.flatMap((body) => {
      const reading = readKajabiHook(body, JSON.parse(body) as Json, context.access, rig.now())
      return 'signal' in reading ? [reading.signal] : []
    })
    expect(heardSignals).toMatchObject([{ event: 'tag_added', contact: ada.contact, tag, offer: 'haircare' }])
    for (const signal of heardSignals) await acceptSignal(context, signal)
    await workInbox(context, 10)
    await nobodyCancelled(ada)
    expect((await rig.store.inbox.list({ limit: 1 }))[0]?.now).toMatchObject({ reason: 'no_match_for_offer' })
    expect(await rig.kajabi.tagsOf(ada.contact)).toEqual({ ok: true, value: [] })
    expect(await holds(ada)).toBe(true)
  })
})

describe('an old tag', () => {
  test('of a member with nothing left to cancel is removed, and does not affect a later subscription', async () => {
    const ada = await rig.member('ada', 'settled')
    await rig.stripe('target').subscriptions.cancel(ada.successor ?? '')
    await rig.act({ act: 'add_tag', contact: ada.contact, tag: rig.tag })
    const tagged = { contact: ada.contact, tag: rig.tag, offer: 'membership', customer: ada.customer, message: 'x' }
    await rig.store.inbox.removeGrants([{ contact: ada.contact, offer: 'membership' }])
    await acceptSignal(rig.context, { source: 'hook', event: 'tag_added', receivedAt: rig.now(), ...tagged })
    await workInbox(rig.context, 10)
    expect((await rig.store.inbox.list({ limit: 1 }))[0]?.now).toEqual({ state: 'ignored', reason: 'already_ended' })
    expect(await rig.kajabi.tagsOf(ada.contact)).toEqual({ ok: true, value: [] })
  })

  test('that waits for a person is not a new request after a restart, even if its member has subscribed again', async () => {
    const { contact = '' } = await rig.act({ act: 'make_contact', email: 'cy@school.example', name: 'Cy' })
    await rig.act({ act: 'add_tag', contact, tag: rig.tag })
    await rig.kajabi.findContact('cy@school.example')
    const seen = await rememberedTags(rig.context)
    for (const _ of [1, 2]) await pollTags(rig.context, seen)
    await workInbox(rig.context, 10)
    expect((await rig.store.inbox.list({ limit: 1 }))[0]?.now).toEqual({ state: 'dead', reason: 'nobody' })
    const cy = await rig.member('cy', 'settled')
    expect(cy.contact).toBe(contact)
    const restarted = await rememberedTags(rig.context)
    for (const _ of [1, 2, 3]) expect(await pollTags(rig.context, restarted)).toBe(0)
    await workInbox(rig.context, 10)
    expect(await rig.status('target', cy.successor)).toBe('active')
  })

  test('does not revoke the access of a member who has subscribed again', async () => {
    const ada = await rig.member('ada', 'settled')
    const price = (await rig.stripe('target').prices.list()).data[0]?.id ?? ''
    const again = await rig.stripe('target').subscriptions.create({ customer: ada.customer, items: [{ price }] })
    await rig.act({ act: 'add_tag', contact: ada.contact, tag: rig.tag })
    const tagged = { contact: ada.contact, tag: rig.tag, offer: 'membership', message: 'x' }
    await acceptSignal(rig.context, { source: 'hook', event: 'tag_added', receivedAt: rig.now(), ...tagged })
    await workInbox(rig.context, 10)
    expect([await rig.status('target', ada.successor), await rig.status('target', again.id)]).toEqual([
      'canceled',
      'active',
    ])
    expect(await holds(ada)).toBe(true)
  })
})
