import { expect, test } from 'vitest'
import { failed, success, type Outcome } from '../../src/core/outcome.ts'
import type { StripeObject } from '../../src/core/json.ts'
import { withCircuits } from '../../src/engine/inbox/circuit.ts'
import type { Alert } from '../../src/engine/inbox/context.ts'
import type { StripeAccount } from '../../src/engine/ports.ts'
import { instant } from '../../src/core/instant.ts'

function setUp() {
  const world = { status: 200, asked: 0, back: 0 }
  const answer = (): Outcome<StripeObject> =>
    world.status === 200
      ? success({ object: 'account', id: 'acct_1' })
      : failed({ kind: world.status >= 500 ? 'retryable' : 'rejected', code: 'x', message: '', status: world.status })
  const account = (name: string): StripeAccount => ({
    name,
    id: 'acct_1',
    livemode: false,
    apiVersion: '',
    send: () => {
      world.asked++
      return Promise.resolve(answer())
    },
    list: async function* () {},
    retrieve: () => Promise.resolve({ object: 'account' }),
    look: () => Promise.reject(new Error('not asked for')),
    now: () => instant(0),
    present: () => Promise.resolve(instant(0)),
  })
  const alerts: Alert[] = []
  const waits: (() => void)[] = []
  const circuits = withCircuits(
    { target: account('target'), sources: new Map([['us', account('us')]]) },
    {
      log() {},
      alert: (alert) => void alerts.push(alert),
      wait: () => new Promise((go) => waits.push(go)),
      back: () => void world.back++,
    },
  )
  const pass = async (): Promise<void> => {
    waits.splice(0).forEach((go) => go())
    await new Promise((go) => setTimeout(go, 1))
  }
  return { world, alerts, circuits, pass }
}

const get = { method: 'GET', path: '/v1/x' } as const

test('an account that does not answer gets one probe a second and no other request, and is back with its first answer', async () => {
  const { world, alerts, circuits, pass } = setUp()
  const { target, sources } = circuits.accounts
  world.status = 503
  for (let n = 0; n < 5; n++) await target.send(get)
  expect([circuits.isAway('target'), circuits.isAway('us')]).toEqual([true, false])
  const before = world.asked
  for (let n = 0; n < 100; n++) expect(await target.send(get)).toMatchObject({ failure: { code: 'account_away' } })
  const list = target.list('/v1/x')[Symbol.asyncIterator]()
  await expect(list.next()).rejects.toThrow(/does not answer/)
  expect(world.asked).toBe(before)
  for (let n = 0; n < 40; n++) await pass()
  expect(world.asked - before).toBeLessThanOrEqual(41)
  expect(alerts).toMatchObject([{ key: 'account_away target' }])
  // A refusal counts as an answer.
  world.status = 403
  await pass()
  expect([circuits.isAway('target'), world.back]).toEqual([false, 1])
  expect(alerts.at(-1)).toMatchObject({ key: 'account_away target', resolved: true })
  expect(await sources.get('us')?.send(get)).toMatchObject({ failure: { status: 403 } })
  circuits.stop()
})

test('refusals, locks and single failures open no circuit', async () => {
  const { world, circuits } = setUp()
  for (const status of [503, 503, 404, 503, 503, 503, 503, 402, 429, 429, 429, 429, 429]) {
    world.status = status
    await circuits.accounts.target.send(get)
  }
  expect(circuits.isAway('target')).toBe(false)
})
