import { describe, expect, test } from 'vitest'
import { createLimits, operationName, stripeRates } from '../../src/stripe/limits.ts'
import { VirtualTime } from './virtual-time.ts'

/** The highest number of requests within any second. */
function busiestSecond(times: readonly number[]): number {
  return Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + 1_000).length))
}

async function timesOf(
  operations: readonly string[],
  livemode: boolean,
): Promise<{ time: VirtualTime; sent: [string, number][] }> {
  const time = new VirtualTime()
  const limits = createLimits(stripeRates(livemode), time)
  const sent: [string, number][] = []
  const one = async (operation: string): Promise<void> => {
    await limits.turn(operation)
    sent.push([operation, time.milliseconds()])
  }
  await time.run(Promise.all(operations.map(one)))
  return { time, sent }
}

describe('limits of an account', () => {
  test('one operation never exceeds 25 requests in any second and uses at least nine tenths of it', async () => {
    const { sent } = await timesOf(
      Array.from({ length: 250 }, () => 'POST /v1/subscriptions'),
      true,
    )
    const times = sent.map(([, at]) => at)
    expect(busiestSecond(times)).toBeLessThanOrEqual(25)
    expect(Math.max(...times)).toBeLessThanOrEqual((250 / (25 * 0.9)) * 1_000)
  })

  test('operations run in parallel up to the account limit', async () => {
    const many = Array.from({ length: 600 }, (_, n) => `POST /v1/kind-${n % 6}`)
    const live = (await timesOf(many, true)).sent.map(([, at]) => at)
    expect(busiestSecond(live)).toBeLessThanOrEqual(100)
    expect(Math.max(...live)).toBeLessThanOrEqual((600 / 90) * 1_000)
    const test = (await timesOf(many.slice(0, 100), false)).sent.map(([, at]) => at)
    expect(busiestSecond(test)).toBeLessThanOrEqual(25)
  })

  test('a suspended process does not send all missed requests at once', async () => {
    const time = new VirtualTime()
    // All timers between the first and the fourth second fire at the fourth.
    const stalling = {
      milliseconds: () => time.milliseconds(),
      sleep(milliseconds: number) {
        const due = time.milliseconds() + milliseconds
        return time.sleep(due > 1_000 && due < 4_000 ? 4_000 - time.milliseconds() : milliseconds)
      },
    }
    const limits = createLimits(stripeRates(true), stalling)
    const sent: number[] = []
    const one = async (): Promise<void> => {
      await limits.turn('POST /v1/subscriptions')
      sent.push(time.milliseconds())
    }
    await time.run(Promise.all(Array.from({ length: 120 }, one)))
    expect(sent).toHaveLength(120)
    expect(busiestSecond(sent)).toBeLessThanOrEqual(25)
  })

  test('a held operation waits and does not burst afterwards; the others continue', async () => {
    const time = new VirtualTime()
    const limits = createLimits(stripeRates(false), time)
    limits.hold('POST /v1/prices', 10_000)
    const sent: [string, number][] = []
    const one = async (operation: string): Promise<void> => {
      await limits.turn(operation)
      sent.push([operation, time.milliseconds()])
    }
    const prices = Array.from({ length: 30 }, () => one('POST /v1/prices'))
    const coupons = Array.from({ length: 5 }, () => one('POST /v1/coupons'))
    await time.run(Promise.all([...prices, ...coupons]))
    const at = (operation: string): number[] => sent.filter(([name]) => name === operation).map(([, when]) => when)
    expect(Math.max(...at('POST /v1/coupons'))).toBeLessThan(1_000)
    expect(Math.min(...at('POST /v1/prices'))).toBeGreaterThanOrEqual(10_000)
    expect(busiestSecond(at('POST /v1/prices'))).toBeLessThanOrEqual(25)
  })

  test('a hold of the account, made while many requests wait, lets none of them go early', async () => {
    const time = new VirtualTime()
    const limits = createLimits(stripeRates(false), time)
    const times: number[] = []
    const waiting = Array.from({ length: 50 }, async (_, n) => {
      await limits.turn(`GET /v1/kind-${n}`)
      times.push(time.milliseconds())
    })
    const hold = time.sleep(500).then(() => limits.hold(undefined, 20_000))
    await time.run(Promise.all([...waiting, hold]))
    expect(times.filter((at) => at > 500 && at < 20_500)).toEqual([])
    expect(busiestSecond(times)).toBeLessThanOrEqual(25)
  })

  test.each([
    ['POST', '/v1/subscriptions', 'POST /v1/subscriptions'],
    ['POST', '/v1/subscriptions/sub_1', 'POST /v1/subscriptions/:id'],
    ['POST', '/v1/subscriptions/search', 'POST /v1/subscriptions/search'],
    ['POST', '/v1/invoices/create_preview', 'POST /v1/invoices/create_preview'],
    ['POST', '/v1/invoices/in_1/finalize', 'POST /v1/invoices/:id/finalize'],
    ['DELETE', '/v1/customers/cus_1/tax_ids/txi_1', 'DELETE /v1/customers/:id/tax_ids/:id'],
    ['POST', '/v1/billing_portal/configurations/bpc_1', 'POST /v1/billing_portal/configurations/:id'],
    ['GET', '/v1/coupons/welcome-20', 'GET /v1/coupons/:id'],
    ['GET', '/v1/account', 'GET /v1/account'],
  ])('%s %s is counted as %s', (method, path, name) => {
    expect(operationName(method, path)).toBe(name)
  })
})
