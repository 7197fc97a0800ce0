import { expect, test } from 'vitest'
import type Stripe from 'stripe'
import { present } from '../../src/core/assert.ts'
import type { StripeObject } from '../../src/core/json.ts'
import { apply } from '../../src/engine/apply/apply.ts'
import { recover } from '../../src/engine/apply/recover.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import { importCopyMap } from '../../src/engine/copy-map.ts'
import type { Context } from '../../src/engine/context.ts'
import type { CopyMapRow } from '../../src/engine/ports.ts'
import { verify } from '../../src/engine/verify/verify.ts'
import { createSandbox } from '../../src/sandbox/sandbox.ts'
import { clientOf } from '../sandbox/client.ts'
import { at, dieAt, planAndApply } from './rig.ts'
import { openPulled, type School } from './school.ts'
import { members } from './members.ts'
import { member } from './stories/world.ts'

const now = '2026-10-05T12:00:00Z'

/** A member whose two cards are exchanged in the copy map. */
async function exchanged(): Promise<School> {
  const sandbox = createSandbox({ clock: at('2026-01-15T08:00:00Z') })
  const us = clientOf(sandbox)
  const customer = await member(us)
  const { id: product } = await us.products.create({ name: 'Membership' })
  const recurring = { interval: 'month' } as const
  const { id: price } = await us.prices.create({ product, currency: 'usd', unit_amount: 4_900, recurring })
  await us.subscriptions.create({ customer, items: [{ price }] })
  await us.paymentMethods.attach('pm_card_mastercard', { customer })
  await sandbox.world.advance(at('2026-02-25T12:00:00Z'))
  const school = await openPulled(sandbox, '')
  await planAndApply(school.stage('source'))
  await importCopyMap(school.rig.context, 'us', await rows(school.rig.context, true))
  return school
}

async function rows({ store }: Context, isExchanged: boolean) {
  const all: Omit<CopyMapRow, 'importedAt'>[] = []
  for await (const { importedAt: _at, ...row } of store.copyMap('us')) if (row.sourceOld !== '') all.push(row)
  return isExchanged ? all.map((row, i) => ({ ...row, sourceNew: all[all.length - 1 - i]?.sourceNew ?? '' })) : all
}

/** The samples of the plan and of the apply show the card that the plan expects. */
function looksRight(context: Context, asked: string[], times = 2): Context {
  const { target } = context.accounts
  return {
    ...context,
    accounts: {
      ...context.accounts,
      target: {
        ...target,
        async send(request) {
          const answer = await target.send(request)
          if (request.method !== 'GET' || !request.path.startsWith('/v1/payment_methods/pm_') || !answer.ok)
            return answer
          asked.push(request.path)
          const card = { ...(answer.value['card'] as object), brand: 'visa', last4: '4242' }
          return asked.length > times ? answer : { ...answer, value: { ...answer.value, card } as StripeObject }
        },
      },
    },
  }
}

async function defaultOf({ rig }: School): Promise<unknown> {
  const [customer] = (await clientOf(rig.sandbox, 'target').customers.list()).data
  return (customer as Stripe.Customer).invoice_settings.default_payment_method
}

test('a wrong card of an exchanged copy map never becomes the default of the target’s customer', async () => {
  await using school = await exchanged()
  const asked: string[] = []
  const { plan, result } = await planAndApply(looksRight(school.stage('target'), asked))
  expect(plan.summary).toMatchObject({ move: 1 })
  expect(result.changes).toMatchObject([{ action: 'move', outcome: 'skipped', code: 'copy_mismatch' }])
  expect(result.changes[0]?.message).toContain('the old one is visa …4242 and the new one is mastercard …4444')
  expect(asked.length).toBeGreaterThan(2)
  expect(await defaultOf(school)).toBeNull()
  expect(school.rig.sent.filter((one) => one.includes('/subscriptions'))).toEqual([])

  // With the file from Stripe, nothing of the refused move is in the way.
  await importCopyMap(school.rig.context, 'us', await rows(school.rig.context, true))
  expect((await planAndApply(school.stage('target'))).result).toMatchObject({ ok: true })
  await school.advance('2026-06-20T00:00:00Z')
  expect(school.differences()).toEqual([])
})

test('a move that stopped before its creation is undone when the copied card shows another one by then', async () => {
  await using school = await exchanged()
  const context = school.stage('target')
  // At first, every read shows the card that the plan expects.
  const lies = looksRight(context, [], Infinity)
  const plan = await makePlan(lies)
  expect(await dieAt(lies, { request: 1, side: 'after' }, (living) => apply(living, plan))).toBe(true)
  expect(school.rig.sent.filter((one) => one.includes('/subscriptions')).length).toBe(1)
  const recovered = await recover(context)
  expect(recovered).toMatchObject([{ action: 'move', outcome: 'undone', code: 'copy_mismatch' }])
  expect(school.rig.sent.filter((one) => one === 'target POST /v1/subscriptions')).toEqual([])
  await school.advance('2026-06-20T00:00:00Z')
  expect(school.differences()).toEqual([])
})

test('promise 6: a move with a confirmed wrong card is reverted, and the next move sets the right card', async () => {
  await using school = await exchanged()
  const at = (stage: 'target' | 'source', override: readonly 'copy_mismatch'[]): Context => {
    const { catalog } = school.stage(stage)
    const subscribers = catalog.subscribers.map((one) => ({ ...one, override }))
    return school.rig.with({ ...catalog, subscribers, digest: `${catalog.digest} ${override.join()}` })
  }
  expect((await planAndApply(at('target', ['copy_mismatch']))).result).toMatchObject({ ok: true })
  const wrong = await defaultOf(school)
  expect((await planAndApply(at('source', ['copy_mismatch']))).result).toMatchObject({ ok: true })

  // As the fix says: the file from Stripe is imported, and the subscriber is moved again.
  await importCopyMap(school.rig.context, 'us', await rows(school.rig.context, true))
  const { plan, result } = await planAndApply(at('target', []))
  expect({ blocked: plan.blocked, ok: result.ok }).toEqual({ blocked: [], ok: true })
  expect(await defaultOf(school)).not.toEqual(wrong)
  expect((await verify(at('target', []))).violations).toEqual([])
  await school.advance('2026-06-20T00:00:00Z')
  expect(school.differences()).toEqual([])
})

test('the file from Stripe corrects mixed-up lines, also of a customer who was deleted in the target since', async () => {
  await using school = await members([{ since: '2026-09-20T09:15:00Z' }, { since: '2026-09-21T09:15:00Z' }], now)
  const { context } = school.rig
  const right = await rows(context, false)
  const mixed = right.map((row, i) => {
    const { customerNew, sourceNew } = present(right[right.length - 1 - i], 'row')
    return { ...row, customerNew, sourceNew, importedAt: context.accounts.target.now() }
  })
  await context.store.putCopyMap(mixed)
  await school.target.customers.del(right[0]?.customerNew ?? '')
  expect(await importCopyMap(context, 'us', right)).toMatchObject({ changed: 2 })
  expect(await rows(context, false)).toEqual(right)
  // A later copy gave the deleted customer another id: the older file does not take it back.
  const { id } = await school.target.customers.create({})
  const [first] = right
  const again = { ...present(first, 'row'), customerNew: id, importedAt: context.accounts.target.now() }
  await context.store.putCopyMap([again])
  await expect(importCopyMap(context, 'us', right)).rejects.toThrow('was copied to')
})
