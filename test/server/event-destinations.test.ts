import { afterEach, describe, expect, test } from 'vitest'
import { instant } from '../../src/core/instant.ts'
import type { JsonObject } from '../../src/core/json.ts'
import { failed, success } from '../../src/core/outcome.ts'
import { createSandbox } from '../../src/sandbox/sandbox.ts'
import { clientOf } from '../sandbox/client.ts'
import { runService, secrets, type Running } from './service.ts'

type Payload = 'snapshot' | 'thin'

describe('a cancel is never lost: events of event destinations', () => {
  let running: Running | undefined
  afterEach(() => running?.service.close())

  /** A service that the destinations of a simulated account reach. */
  async function town(payloads: readonly Payload[], isDown: () => boolean = () => false) {
    const statuses: number[] = []
    const sandbox = createSandbox({
      deliver: async (input, init) => {
        const { pathname } = new URL(new Request(input, init).url)
        const answer = await fetch(`${running?.service.url}${pathname}`, init)
        statuses.push(answer.status)
        return answer
      },
    })
    const stripe = clientOf(sandbox)
    const own = await Promise.all(
      payloads.map(async (payload) => {
        const answer = await sandbox.fetch('http://sandbox/v2/core/event_destinations', {
          method: 'POST',
          headers: { authorization: 'Bearer sk_test_sandbox_us', 'content-type': 'application/json' },
          body: JSON.stringify({
            name: payload,
            type: 'webhook_endpoint',
            event_payload: payload,
            enabled_events: ['*'],
            webhook_endpoint: { url: 'https://crossbill.test/stripe/webhooks/us' },
            include: ['webhook_endpoint.signing_secret'],
          }),
        })
        const made = (await answer.json()) as { webhook_endpoint: { signing_secret: string } }
        return made.webhook_endpoint.signing_secret
      }),
    )
    const service = await runService({ secrets: { ...secrets, stripe: new Map([['us', own]]) } })
    running = service
    service.clock.now = sandbox.clock()
    service.events.read = async (_account, id) => {
      if (isDown()) return failed({ kind: 'unknown', code: 'api_error', message: 'down', status: 500 })
      const answer = await sandbox.fetch(`http://sandbox/v1/events/${id}`, {
        headers: { authorization: 'Bearer sk_test_sandbox_us' },
      })
      return success((await answer.json()) as JsonObject)
    }
    const settled = async (): Promise<void> => {
      while (sandbox.world.deliveries.size > 0) await Promise.all(sandbox.world.deliveries)
    }
    const cancelled = async (): Promise<string> => {
      const { id: customer } = await stripe.customers.create({
        payment_method: 'pm_card_visa',
        invoice_settings: { default_payment_method: 'pm_card_visa' },
      })
      const { id: product } = await stripe.products.create({ name: 'Membership' })
      const price = await stripe.prices.create({
        product,
        currency: 'usd',
        unit_amount: 4_900,
        recurring: { interval: 'month' },
      })
      const made = await stripe.subscriptions.create({
        customer,
        items: [{ price: price.id }],
        metadata: { crossbill_hold: '{}' },
      })
      await stripe.subscriptions.cancel(made.id)
      await settled()
      return made.id
    }
    const later = async (to: string): Promise<void> => {
      // The signature carries the time of the attempt.
      service.clock.now = instant(Math.floor(Date.parse(to) / 1_000))
      const answer = await sandbox.fetch('http://sandbox/_sandbox/clock', {
        method: 'POST',
        body: JSON.stringify({ to }),
      })
      expect(answer.status).toBe(200)
      await settled()
    }
    return { running: service, statuses, cancelled, later }
  }

  test.each<readonly Payload[]>([['snapshot'], ['thin'], ['snapshot', 'thin']])(
    '%s %s: one signal',
    async (...payloads) => {
      const { running: service, cancelled, statuses } = await town(payloads.filter((one) => one !== undefined))
      const subscription = await cancelled()
      expect(service.signals).toMatchObject([
        {
          event: 'old_subscription_cancelled',
          subscriber: `us/${subscription}`,
          message: expect.stringMatching(/^evt_(?!65)/) as string,
        },
      ])
      expect(service.alerts).toEqual([])
      expect(statuses.every((status) => status === 200 || status === 202)).toBe(true)
    },
  )

  test('a thin event waits until Stripe answers: the sender tries again', async () => {
    let isDown = true
    const { running: service, cancelled, statuses, later } = await town(['thin'], () => isDown)
    const subscription = await cancelled()
    expect(service.signals).toEqual([])
    expect(statuses).toContain(503)
    isDown = false
    await later('2026-12-01T12:10:00Z')
    expect(service.signals).toMatchObject([{ event: 'old_subscription_cancelled', subscriber: `us/${subscription}` }])
    expect(service.alerts).toEqual([])
  })

  test('a snapshot that the key may not read is an alert', async () => {
    const { running: service, cancelled, statuses } = await town(['thin'])
    service.events.read = () =>
      Promise.resolve(failed({ kind: 'rejected', code: 'permission', message: 'not permitted', status: 403 }))
    await cancelled()
    expect(service.signals).toEqual([])
    expect(service.alerts[0]).toMatchObject({ key: 'thin_events us', severity: 'warning' })
    expect(new Set(statuses)).toEqual(new Set([200]))
  })
})
