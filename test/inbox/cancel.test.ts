import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Killed } from '../../src/engine/rehearse/mortal.ts'
import type { InboxContext } from '../../src/engine/inbox/context.ts'
import { instant } from '../../src/core/instant.ts'
import { acceptSignal } from '../../src/engine/inbox/accept.ts'
import { creationKey } from '../../src/engine/handover/keys.ts'
import { workInbox } from '../../src/engine/inbox/worker.ts'
import { undoneComment } from '../../src/live/marks.ts'
import { openRig, signalsTo, type Member, type Rig } from './rig.ts'

let rig: Rig
beforeEach(async () => {
  rig = await openRig()
})
afterEach(() => rig.close())

const { signal, state } = signalsTo(() => rig)
const tagged = async ({ contact }: Member): Promise<{ id: string }> => {
  await rig.act({ act: 'add_tag', contact, tag: rig.tag })
  return signal({ source: 'hook', event: 'tag_added', contact, tag: rig.tag })
}
/** Works until no row is due; the waits of retries pass. */
async function workOff(rounds = 12): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const { handled } = await workInbox(rig.context, 100)
    const { oldestPending } = await rig.store.inbox.counts()
    if (handled === 0 && oldestPending === undefined) return
    rig.pass(3_600)
  }
}
const offersOf = async (member: Member): Promise<readonly string[]> => {
  const offers = await rig.kajabi.offersOf(member.contact)
  return offers.ok ? offers.value : ['unreadable']
}

/** A worker that dies in one call to Kajabi: it writes nothing after it. */
function dyingIn(context: InboxContext & { kajabi: Rig['kajabi'] }, call: 'removeTag' | 'revoke'): InboxContext {
  const life = { dead: false }
  const die = (): Promise<never> => {
    life.dead = true
    return Promise.reject(new Killed('the worker dies here'))
  }
  const save: typeof context.inbox.save = (...given) => (life.dead ? die() : context.inbox.save(...given))
  return { ...context, kajabi: { ...context.kajabi, [call]: die }, inbox: { ...context.inbox, save } }
}

describe('a cancel by tag', () => {
  test.each(['source', 'held', 'settled'] as const)(
    'of a member at stage %s ends the subscription that bills them, and their access',
    async (stage) => {
      const ada = await rig.member('ada', stage)
      const bo = await rig.member('bo', stage)
      const { id } = await tagged(ada)
      await workOff()
      expect(await state(id)).toBe('done')
      expect(await rig.status('us', ada.old)).toBe('canceled')
      expect(stage === 'source' ? 'canceled' : await rig.status('target', ada.successor)).toBe('canceled')
      expect(await offersOf(ada)).toEqual([])
      expect(await rig.kajabi.tagsOf(ada.contact)).toEqual({ ok: true, value: [] })
      expect(await rig.store.inbox.grants({ contact: ada.contact })).toEqual([])
      expect(await rig.status(stage === 'source' ? 'us' : 'target', stage === 'source' ? bo.old : bo.successor)).toBe(
        'active',
      )
      expect(await offersOf(bo)).toHaveLength(1)
    },
  )

  test("counts although this machine's clock is behind Stripe's, by which the grant is dated", async () => {
    const ada = await rig.member('ada', 'held')
    await rig.act({ act: 'add_tag', contact: ada.contact, tag: rig.tag })
    const { id } = await signal({
      source: 'hook',
      event: 'tag_added',
      contact: ada.contact,
      tag: rig.tag,
      receivedAt: instant(rig.now() - 3 * 86_400),
    })
    await workOff()
    expect(await state(id)).toBe('done')
    expect(await rig.status('target', ada.successor)).toBe('canceled')
  })

  test('counts although neither the machine nor an answer knows the time, when the store knows the grant', async () => {
    const ada = await rig.member('ada', 'held')
    await rig.act({ act: 'add_tag', contact: ada.contact, tag: rig.tag })
    // The service has just started, and Stripe does not answer: its clock is the machine's.
    const wrong = instant(rig.now() - 18 * 3_600)
    const target = { ...rig.context.accounts.target, now: () => wrong }
    const context = { ...rig.context, clock: () => wrong, accounts: { ...rig.context.accounts, target } }
    const arrival = { source: 'poller', event: 'tag_added', contact: ada.contact, tag: rig.tag } as const
    const { id } = await acceptSignal(context, { ...arrival, receivedAt: wrong, message: 'ada' })
    await workOff()
    expect(await state(id)).toBe('done')
    expect(await rig.status('target', ada.successor)).toBe('canceled')
  })

  test('whose request was carried out late, while its subscription cannot be read, is done', async () => {
    await rig.close()
    let late = false
    let unread = 0
    rig = await openRig({
      between: (fetch) => async (input, init) => {
        const { pathname } = new URL(input instanceof Request ? input.url : input)
        const isOne = /^\/v1\/subscriptions\/sub_\w+$/.test(pathname)
        if (late && isOne && init?.method === 'DELETE' && unread === 0) {
          // The first DELETE is done after the second was sent, and that one is answered with 404.
          await fetch(input, init)
          unread = 1
        } else if (isOne && unread > 0 && unread < 12) {
          unread++
          return new Response('<html>down</html>', { status: 503 })
        }
        return fetch(input, init)
      },
    })
    const ada = await rig.member('ada', 'held')
    late = true
    const { id } = await tagged(ada)
    await workOff()
    expect(unread).toBeGreaterThan(1)
    expect(await state(id)).toBe('done')
    expect([await rig.status('target', ada.successor), await rig.status('us', ada.old)]).toEqual([
      'canceled',
      'canceled',
    ])
  })

  test('of a member after a revert, whose grant a lost store has forgotten, ends the old subscription', async () => {
    const ada = await rig.member('ada', 'held')
    const { target, sources } = rig.context.accounts
    const comment = `${undoneComment}us/${ada.old}`
    const params = { invoice_now: false, prorate: false, cancellation_details: { comment } }
    expect(await target.send({ method: 'DELETE', path: `/v1/subscriptions/${ada.successor}`, params })).toMatchObject({
      ok: true,
    })
    const released = { method: 'POST', path: `/v1/subscriptions/${ada.old}`, idempotencyKey: 'released' } as const
    expect(await sources.get('us')?.send({ ...released, params: { pause_collection: '' } })).toMatchObject({ ok: true })
    await rig.kajabi.setExternalId(ada.contact, ada.customer)
    await rig.store.inbox.removeGrants(await rig.store.inbox.grants({ contact: ada.contact }))
    const { id } = await tagged(ada)
    await workOff()
    expect(await state(id)).toBe('done')
    expect(await rig.status('us', ada.old)).toBe('canceled')
  })

  test('has the marker that identifies it as Crossbill’s', async () => {
    const ada = await rig.member('ada', 'held')
    const { id } = await tagged(ada)
    await workOff()
    const { cancellation_details: details } = await rig.stripe('target').subscriptions.retrieve(ada.successor ?? '')
    expect(details?.comment).toBe(`crossbill cancelled on request ${id}`)
    // The log names the requests of Stripe's own log, which hold the same id in their body.
    const lines = rig.lines.filter(({ event }) => event === 'stripe_cancel')
    const { data } = await rig.stripe('target').events.list({ type: 'customer.subscription.deleted' })
    expect(lines.map((line) => [line['id'], line['account'], String(line['request']).slice(0, 4)])).toEqual([
      [id, 'target', 'req_'],
      [id, 'us', 'req_'],
    ])
    expect(lines[0]?.['request']).toBe(data[0]?.request?.id)
  })

  test('that is no longer on the contact, or never was, cancels nothing', async () => {
    const ada = await rig.member('ada', 'held')
    const { id } = await signal({ source: 'hook', event: 'tag_added', contact: ada.contact, tag: rig.tag })
    const made = await signal({ source: 'hook', event: 'tag_added', contact: '999999', tag: rig.tag })
    await workOff()
    expect(await state(id)).toBe('ignored: tag_not_on_contact')
    expect(await state(made.id)).toBe('ignored: contact_unknown_in_kajabi')
    expect(await rig.status('target', ada.successor)).toBe('active')
  })

  test('repeated, delivered twice and processed by two workers at once is one cancel', async () => {
    const ada = await rig.member('ada', 'held')
    const first = await tagged(ada)
    const again = await signal({ source: 'hook', event: 'tag_added', contact: ada.contact, tag: rig.tag })
    await Promise.all([workInbox(rig.context, 10), workInbox({ ...rig.context, run: 'worker-2' }, 10)])
    await workOff()
    expect(
      [await state(first.id), await state(again.id)].every((one) => one === 'done' || one.startsWith('ignored')),
    ).toBe(true)
    const events = await rig.stripe('target').events.list({ type: 'customer.subscription.deleted' })
    expect(events.data).toHaveLength(1)
  })
})

test('a member who left in the target has no access from the held old subscription', async () => {
  const [ada, bo] = [await rig.member('ada', 'held'), await rig.member('bo', 'held')]
  await rig.stripe('target').subscriptions.cancel(ada.successor ?? '')
  const { customer } = ada
  const { id } = await signal({ source: 'target_account', event: 'subscription_ended', customer })
  await workOff()
  expect(await state(id)).toBe('ignored: access_followed')
  expect([await offersOf(ada), await offersOf(bo)]).toMatchObject([{ length: 0 }, { length: 1 }])
})

describe('which subscription is meant', () => {
  test('the "payments cancelled" of a fully paid plan, naming another offer, cancels nothing', async () => {
    const ada = await rig.member('ada', 'held')
    const { id } = await signal({ contact: ada.contact, offer: 'diploma' })
    await workOff()
    expect(await state(id)).toBe('ignored: no_match_for_offer')
    expect(await rig.status('target', ada.successor)).toBe('active')
  })

  test('a relay that names a subscription cancels it only for an offer that it gives', async () => {
    const [ada, bo] = [await rig.member('ada', 'held'), await rig.member('bo', 'settled')]
    const wrong = await signal({ subscriber: ada.subscriber, offer: 'diploma' })
    // No grant is stored: the price of the new subscription decides.
    await rig.store.inbox.removeGrants([{ contact: bo.contact, offer: 'membership' }])
    const others = [
      await signal({ subscriber: bo.subscriber, offer: 'diploma' }),
      await signal({ subscriber: 'us/sub_9' }),
    ]
    await workOff()
    const states = [wrong, ...others].map(({ id }) => state(id))
    expect(await Promise.all(states)).toEqual([
      'ignored: no_match_for_offer',
      'ignored: no_match_for_offer',
      'dead: nobody',
    ])
    expect([await rig.status('target', ada.successor), await rig.status('target', bo.successor)]).toEqual([
      'active',
      'active',
    ])
    const right = [await signal({ subscriber: ada.subscriber }), await signal({ subscriber: bo.subscriber })]
    await workOff()
    expect(await Promise.all(right.map(({ id }) => state(id)))).toEqual(['done', 'done'])
  })

  test('a late retry does not affect a subscription that was created afterwards', async () => {
    const ada = await rig.member('ada', 'settled')
    const { id } = await signal({ contact: ada.contact })
    await workOff()
    expect(await state(id)).toBe('done')
    await rig
      .stripe('us')
      .subscriptions.create({ customer: ada.customer, items: [] })
      .catch(() => undefined)
    await rig.advance(60)
    const price = (await rig.stripe('target').prices.list()).data[0]?.id ?? ''
    const later = await rig.stripe('target').subscriptions.create({ customer: ada.customer, items: [{ price }] })
    await rig.store.inbox.change(id, {
      now: { state: 'received' },
      note: { at: rig.now(), state: 'received', text: 'redriven' },
    })
    await workOff()
    expect(await state(id)).toBe('done')
    expect(await rig.status('target', later.id)).toBe('active')
  })

  test('with two subscriptions that give the same offer, a person decides', async () => {
    const ada = await rig.member('ada', 'held')
    const bo = await rig.member('bo', 'held')
    const [grant] = await rig.store.inbox.grants({ contact: ada.contact })
    if (grant === undefined) throw new Error('no grant')
    await rig.store.inbox.putGrants([{ ...grant, subscribers: [ada.subscriber, bo.subscriber] }])
    const { id } = await tagged(ada)
    await workOff()
    expect(await state(id)).toMatch(/^dead: ambiguous: several subscriptions match: us\/sub_\w+, us\/sub_\w+$/)
    expect(await rig.status('target', ada.successor)).toBe('active')
    expect(rig.alerts.map(({ key }) => key)).toContain(`dead ${id}`)
  })

  test('a customer of both old accounts loses access with the last of both', async () => {
    const [ada, other] = [await rig.member('ada', 'settled'), await rig.member('ada.other', 'settled')]
    const [grant] = await rig.store.inbox.grants({ contact: ada.contact })
    if (grant === undefined) throw new Error('no grant')
    await rig.store.inbox.putGrants([{ ...grant, subscribers: [ada.subscriber, other.subscriber] }])
    await rig.store.inbox.removeGrants([{ contact: other.contact, offer: 'membership' }])
    await signal({ subscriber: ada.subscriber })
    await workOff()
    expect(await offersOf(ada)).toHaveLength(1)
    await signal({ subscriber: other.subscriber })
    await workOff()
    expect(await rig.status('target', other.successor)).toBe('canceled')
    expect(await offersOf(ada)).toEqual([])
  })

  test('a member with the offer from the old checkout is recognised by the recorded ids, and keeps what Crossbill did not grant', async () => {
    const [ada, bo] = [await rig.member('ada', 'held'), await rig.member('bo', 'held')]
    const grants = await rig.store.inbox.grants()
    await rig.store.inbox.removeGrants(grants)
    await rig.store.inbox.setHoldings(
      grants.map(({ contact, offer, customer, subscribers }) => ({ contact, offer, customer, subscribers })),
    )
    const { id } = await tagged(ada)
    expect((await rig.store.inbox.get(id))?.row.signal.subscriber).toBe(ada.subscriber)
    await workOff()
    expect(await state(id)).toBe('done')
    expect([await rig.status('target', ada.successor), await rig.status('target', bo.successor)]).toEqual([
      'canceled',
      'active',
    ])
    expect(await offersOf(ada)).toHaveLength(1)
  })

  test('with the store lost, the customer noted on the contact identifies the member', async () => {
    const [ada, bo] = [await rig.member('ada', 'settled'), await rig.member('bo', 'settled')]
    await rig.kajabi.setExternalId(ada.contact, ada.customer)
    await rig.store.inbox.removeGrants([{ contact: ada.contact, offer: 'membership' }])
    const { id } = await tagged(ada)
    await workOff()
    expect(await state(id)).toBe('done')
    expect([await rig.status('target', ada.successor), await rig.status('target', bo.successor)]).toEqual([
      'canceled',
      'active',
    ])
  })

  test('a tag that arrives again while its request is in progress is not a dead letter, although the access is revoked before the tag', async () => {
    const ada = await rig.member('ada', 'held')
    const { id } = await tagged(ada)
    const kajabi = rig.context.kajabi ?? rig.kajabi
    await expect(workInbox(dyingIn({ ...rig.context, kajabi }, 'removeTag'), 10)).rejects.toThrow(/dies here/)
    // The next process reconciles first: the member no longer pays.
    await rig.store.inbox.removeGrants([{ contact: ada.contact, offer: 'membership' }])
    const again = await signal({ source: 'poller', event: 'tag_added', contact: ada.contact, tag: rig.tag })
    await workInbox({ ...rig.context, run: 'worker-2' }, 10)
    expect([await state(again.id), await state(id)]).toEqual(['ignored: asked_already', 'cancelling'])
    await workOff()
    expect(await state(id)).toBe('done')
  })

  test('a member who had subscribed again outside Crossbill is not reported as done; a member who did so after the request is', async () => {
    const [ada, bo] = [await rig.member('ada', 'settled'), await rig.member('bo', 'settled')]
    const stripe = rig.stripe('target')
    const anew = async ({ customer, successor = '' }: Member): Promise<string> => {
      const { items } = await stripe.subscriptions.cancel(successor)
      const again = items.data.map(({ price }) => ({ price: price.id }))
      return (await stripe.subscriptions.create({ customer, items: again })).id
    }
    const second = await anew(ada)
    const requests = [await tagged(ada), await tagged(bo)]
    await rig.advance(60)
    const third = await anew(bo)
    await workOff()
    expect(await Promise.all(requests.map(({ id }) => state(id)))).toEqual([
      `dead: subscribed_again: target/${second}`,
      'done',
    ])
    for (const id of [second, third]) expect(await rig.status('target', id)).toBe('active')
    expect(await rig.kajabi.tagsOf(ada.contact)).toEqual({ ok: true, value: [rig.tag] })
    expect([await offersOf(ada), await offersOf(bo)]).toMatchObject([{ length: 1 }, { length: 1 }])
  })

  test('a contact without a grant of Crossbill is a dead letter, not a guess', async () => {
    const { contact = '' } = await rig.act({ act: 'make_contact', email: 'stranger@school.example', name: 'S' })
    const { id } = await signal({ contact })
    await workOff()
    expect(await state(id)).toBe('dead: nobody')
  })
})

describe('trouble', () => {
  const failing =
    (times: number, pattern: RegExp, answer: () => Response) =>
    (fetch: typeof globalThis.fetch): typeof globalThis.fetch => {
      let left = times
      return async (input, init) => {
        const url = input instanceof Request ? input.url : String(input)
        const method = init?.method ?? 'GET'
        if (pattern.test(`${method} ${url}`) && left-- > 0) return answer()
        return fetch(input, init)
      }
    }
  const stripeDown = () => Response.json({ error: { type: 'api_error', message: 'down' } }, { status: 500 })

  test.each([
    ['Stripe answers 500 to the cancel', /DELETE .*\/v1\/subscriptions/, stripeDown],
    ['the list of successors cannot be read', /GET .*\/v1\/subscriptions\?/, stripeDown],
    [
      'Kajabi answers with HTML',
      /\/kajabi\/v1\/contacts\/\d+\/relationships\/tags/,
      () => new Response('<html>', { status: 502 }),
    ],
    [
      'Kajabi answers with HTML that says not found',
      /\/kajabi\/v1\/contacts\/\d+\/relationships\/tags/,
      () => new Response('<html>', { status: 404, headers: { 'content-type': 'text/html' } }),
    ],
    [
      'Kajabi asks to wait',
      /\/kajabi\/v1\/contacts\/\d+\/relationships\/tags/,
      () => new Response('', { status: 429, headers: { 'retry-after': '30' } }),
    ],
  ])('%s, and the cancel is still done, once', async (_, pattern, answer) => {
    await rig.close()
    rig = await openRig({ between: failing(3, pattern, answer) })
    const ada = await rig.member('ada', 'held')
    const { id } = await tagged(ada)
    await workOff()
    expect(await state(id)).toBe('done')
    expect([await rig.status('target', ada.successor), await rig.status('us', ada.old)]).toEqual([
      'canceled',
      'canceled',
    ])
    expect((await rig.stripe('target').events.list({ type: 'customer.subscription.deleted' })).data).toHaveLength(1)
  })

  test.each([
    [
      'Kajabi',
      /\/kajabi\/v1\/contacts\/\d+\/relationships\/tags/,
      () => Response.json({ errors: [{ detail: 'no' }] }, { status: 403 }),
    ],
    [
      'Stripe',
      /DELETE .*\/v1\/subscriptions/,
      () => Response.json({ error: { type: 'invalid_request_error', message: 'revoked' } }, { status: 401 }),
    ],
  ])('a key that %s refuses raises an alarm at once, and the cancel waits for it', async (_, pattern, answer) => {
    await rig.close()
    rig = await openRig({ between: failing(1, pattern, answer) })
    const ada = await rig.member('ada', 'held')
    const { id } = await tagged(ada)
    await workInbox(rig.context, 10)
    expect(await state(id)).toMatch(/^retry: /)
    expect(rig.alerts).toMatchObject([
      { resolved: true },
      { key: 'credentials_refused', severity: 'critical', fix: 'crossbill doctor' },
    ])
    await workOff()
    expect(await state(id)).toBe('done')
  })

  test("a lost answer to the cancel is looked up, never treated as another program's", async () => {
    await rig.close()
    let cut = true
    rig = await openRig({
      between: (fetch) => async (input, init) => {
        const answer = await fetch(input, init)
        if (init?.method === 'DELETE' && cut) {
          cut = false
          throw new TypeError('fetch failed', { cause: Object.assign(new Error('cut'), { code: 'UND_ERR_SOCKET' }) })
        }
        return answer
      },
    })
    const ada = await rig.member('ada', 'held')
    const { id } = await tagged(ada)
    await workOff()
    expect(await state(id)).toBe('done')
    expect(await rig.status('us', ada.old)).toBe('canceled')
  })

  test('a worker that died between the cancel and the rest is finished by the next, although the tag is removed', async () => {
    const ada = await rig.member('ada', 'held')
    const { id } = await tagged(ada)
    const kajabi = rig.context.kajabi ?? rig.kajabi
    await expect(workInbox(dyingIn({ ...rig.context, kajabi }, 'revoke'), 10)).rejects.toThrow(/dies here/)
    expect(await rig.kajabi.tagsOf(ada.contact)).toEqual({ ok: true, value: [] })
    expect(await offersOf(ada)).toHaveLength(1)
    rig.pass(600)
    await workOff()
    expect(await state(id)).toBe('done')
    expect(await offersOf(ada)).toEqual([])
  })

  test('an unreadable target changes nothing, and finally alerts a person', async () => {
    await rig.close()
    rig = await openRig({ between: failing(Infinity, /GET .*\/v1\/subscriptions\?/, stripeDown) })
    const ada = await rig.member('ada', 'held')
    const { id } = await tagged(ada)
    await workOff(20)
    expect(await state(id)).toMatch(/^dead: given up after 7 tries/)
    expect([await rig.status('target', ada.successor), await rig.status('us', ada.old)]).toEqual(['active', 'active'])
    expect(rig.alerts).toContainEqual(expect.objectContaining({ key: `dead ${id}`, fix: `crossbill inbox show ${id}` }))
  })

  test('a dead letter that a person redrives has all its attempts again', async () => {
    await rig.close()
    rig = await openRig({ between: failing(120, /GET .*\/v1\/subscriptions\?/, stripeDown) })
    const ada = await rig.member('ada', 'held')
    const { id } = await tagged(ada)
    await workOff(20)
    expect(await state(id)).toMatch(/^dead/)
    await rig.store.inbox.change(id, {
      now: { state: 'received' },
      note: { at: rig.now(), state: 'received', text: 'redriven' },
    })
    await workOff(20)
    expect(await state(id)).toBe('done')
  })

  test('too many cancels within an hour stop cancelling; no signal is dropped, and a person resumes it', async () => {
    await rig.close()
    rig = await openRig({ policy: { cancelsPerHour: 2 } })
    const members = [await rig.member('a', 'held'), await rig.member('b', 'held'), await rig.member('c', 'held')]
    const ids: string[] = []
    for (const member of members) ids.push((await tagged(member)).id)
    for (let round = 0; round < 4; round++) await workInbox(rig.context, 10)
    const states = await Promise.all(ids.map(state))
    expect(states.filter((one) => one === 'done')).toHaveLength(2)
    expect(states.filter((one) => one === 'received')).toHaveLength(1)
    expect(rig.alerts.map(({ key, resolved }) => [key, resolved])).toContainEqual(['breaker', undefined])
    rig.pass(7_200)
    await workInbox(rig.context, 10)
    expect((await Promise.all(ids.map(state))).filter((one) => one === 'received')).toHaveLength(1)
    const { closeBreaker } = await import('../../src/engine/inbox/breaker.ts')
    await closeBreaker(rig.context)
    await workInbox(rig.context, 10)
    expect((await Promise.all(ids.map(state))).every((one) => one === 'done')).toBe(true)
  })
})

describe('no personal data', () => {
  test('is left in the store or the log', async () => {
    const ada = await rig.member('lovelace', 'held')
    await tagged(ada)
    await workOff()
    const rows = await rig.store.inbox.list({ limit: 100 })
    const notes = await Promise.all(rows.map(({ id }) => rig.store.inbox.get(id)))
    const journal = await rig.store.journal()
    expect(JSON.stringify([rows, notes, journal, rig.lines, rig.alerts])).not.toMatch(/@|lovelace/i)
  })
})

describe('a cancel while another run moves the member', () => {
  const holdOf = async (member: Member): Promise<void> => {
    await rig.stripe('us').subscriptions.update(member.old, {
      pause_collection: { behavior: 'keep_as_draft' },
      metadata: { crossbill_hold: '{"before":null,"since":1}', crossbill_holds: `1 ${rig.now()}` },
    })
  }
  const creation = async ({ old, customer }: Member) => {
    const [price] = (await rig.stripe('target').prices.list({ limit: 1 })).data
    const params = {
      customer,
      items: [{ price: price?.id ?? '' }],
      metadata: { crossbill_from: `us/${old}`, crossbill_project: 'school', crossbill_holds: '1' },
      collection_method: 'send_invoice',
      days_until_due: 30,
    }
    const idempotencyKey = creationKey(old, 1)
    return rig.context.accounts.target.send({ method: 'POST', path: '/v1/subscriptions', params, idempotencyKey })
  }

  test('promise 9: the creation that comes after it is refused, and nobody pays', async () => {
    const ada = await rig.member('ada', 'source')
    // The copy of his customer brings hers to the target as well.
    await rig.member('bo', 'held')
    await holdOf(ada)
    const { id } = await tagged(ada)
    await workOff()
    expect(await state(id)).toBe('done')
    expect(await rig.status('us', ada.old)).toBe('canceled')
    expect(await creation(ada)).toMatchObject({ ok: false, failure: { code: 'idempotency_error' } })
  })

  test('promise 9: the creation that came before it ends with it', async () => {
    const ada = await rig.member('ada', 'source')
    // The copy of his customer brings hers to the target as well.
    await rig.member('bo', 'held')
    await holdOf(ada)
    const made = await creation(ada)
    expect(made).toMatchObject({ ok: true })
    const { id } = await tagged(ada)
    await workOff()
    expect(await state(id)).toBe('done')
    expect(await rig.status('us', ada.old)).toBe('canceled')
    expect(await rig.status('target', made.ok ? made.value.id : '')).toBe('canceled')
  })
})
