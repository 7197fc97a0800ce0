import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { workInbox } from '../../src/engine/inbox/worker.ts'
import { openRig, signalsTo, type Rig } from './rig.ts'

let rig: Rig
beforeEach(async () => {
  rig = await openRig()
})
afterEach(() => rig.close())

const { signal, state } = signalsTo(() => rig)

describe('every cancel can be done', () => {
  const scheduled = async (account: string, id: string): Promise<string> => {
    const stripe = rig.stripe(account)
    const { id: schedule, phases } = await stripe.subscriptionSchedules.create({ from_subscription: id })
    const [phase] = phases
    if (phase === undefined) throw new Error('no phase')
    const items = phase.items.map(({ price }) => ({ price: price as string }))
    await stripe.subscriptionSchedules.update(schedule, {
      end_behavior: 'release',
      phases: [
        { start_date: phase.start_date, end_date: phase.end_date, items },
        { items, duration: { interval: 'month', interval_count: 12 } },
      ],
    })
    return schedule
  }

  test.each([
    ['source', 'now'],
    ['source', 'period_end'],
    ['held', 'now'],
    ['held', 'period_end'],
    ['settled', 'now'],
  ] as const)('of a subscription at stage %s that a schedule runs, %s', async (stage, cancel) => {
    const ada = await rig.member('ada', stage)
    const [account, id] = stage === 'source' ? ['us', ada.old] : ['target', ada.successor ?? '']
    const schedule = await scheduled(account, id)
    const request = await signal({ subscriber: ada.subscriber, source: 'operator' })
    await workInbox({ ...rig.context, policy: { ...rig.context.policy, cancel } }, 10)
    expect(await state(request.id)).toBe('done')
    const after = await rig.stripe(account).subscriptions.retrieve(id)
    expect(cancel === 'now' ? after.status : after.cancel_at_period_end).toBe(cancel === 'now' ? 'canceled' : true)
    expect(after.cancellation_details?.comment).toBe(`crossbill cancelled on request ${request.id}`)
    expect((await rig.stripe(account).subscriptionSchedules.retrieve(schedule)).status).toBe('released')
    const old = await rig.status('us', ada.old)
    expect(old).toBe(stage === 'source' && cancel === 'period_end' ? 'active' : 'canceled')
  })

  test('of a subscription that gets its schedule between the read and the request', async () => {
    const ada = await rig.member('ada', 'source')
    const request = await signal({ subscriber: ada.subscriber, source: 'operator' })
    const us = rig.accounts.sources.get('us')
    if (us === undefined) throw new Error('no account')
    let late = false
    const send: typeof us.send = async (request) => {
      if (request.method === 'DELETE' && !late) {
        late = true
        await scheduled('us', ada.old)
      }
      return us.send(request)
    }
    const accounts = { ...rig.accounts, sources: new Map([['us', { ...us, send }]]) }
    await workInbox({ ...rig.context, accounts }, 10)
    expect([await state(request.id), await rig.status('us', ada.old)]).toEqual(['done', 'canceled'])
  })

  test('of a subscription in trial, past due, without a card or paused; one without a period end ends now', async () => {
    const stripe = rig.stripe('us')
    const forms = {
      trial: await rig.member('trial', 'source'),
      paused: await rig.member('paused', 'source'),
      sent: await rig.member('sent', 'source'),
    }
    const soon = rig.now() + 5 * 86_400
    await stripe.subscriptions.update(forms.trial.old, { trial_end: soon, proration_behavior: 'none' })
    await stripe.subscriptions.update(forms.sent.old, { collection_method: 'send_invoice', days_until_due: 7 })
    await stripe.subscriptions.update(forms.paused.old, {
      trial_end: soon,
      proration_behavior: 'none',
      trial_settings: { end_behavior: { missing_payment_method: 'pause' } },
    })
    await stripe.customers.update(forms.paused.customer, { invoice_settings: { default_payment_method: '' } })
    const methods = await stripe.paymentMethods.list({ customer: forms.paused.customer })
    for (const { id } of methods.data) await stripe.paymentMethods.detach(id)
    await rig.advance(6 * 86_400)
    expect(await rig.status('us', forms.paused.old)).toBe('paused')
    for (const member of Object.values(forms)) await signal({ subscriber: member.subscriber, source: 'operator' })
    await workInbox({ ...rig.context, policy: { ...rig.context.policy, cancel: 'period_end' } }, 10)
    const ends = await Promise.all(
      Object.values(forms).map(async ({ old }) => {
        const { status, cancel_at_period_end: ending } = await stripe.subscriptions.retrieve(old)
        return ending ? 'at its end' : status
      }),
    )
    expect(ends).toEqual(['at its end', 'canceled', 'at its end'])
  })
})
