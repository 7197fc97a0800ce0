import { expect, test } from 'vitest'
import type { JsonObject } from '../../src/core/json.ts'
import type { CardContext, CardOwner } from '../../src/engine/cards/context.ts'
import { openCardPage } from '../../src/engine/cards/session.ts'
import { cardState } from '../../src/engine/cards/state.ts'
import type { Context } from '../../src/engine/context.ts'
import { applyLease } from '../../src/engine/lease.ts'
import { Killed, mortal } from '../../src/engine/rehearse/mortal.ts'
import { cardsCheck } from '../../src/engine/verify/cards.ts'
import { verify } from '../../src/engine/verify/verify.ts'
import { members, type Members } from './members.ts'
import { boundaries, planAndApply, told } from './rig.ts'

const now = '2026-10-05T12:00:00Z'
const since = '2026-09-20T09:15:00Z'

const cardsOf = (context: Context): CardContext => ({ ...context, clock: () => context.accounts.target.now() })

/** The member presses the button, and enters a card on the page that it leads to. */
async function press(school: Members, context: Context, owner: CardOwner): Promise<void> {
  const opened = await openCardPage(cardsOf(context), owner, 'https://school.example/card/token')
  if (!opened.ok || opened.value.state !== 'page') return
  const session = opened.value.url.split('/').at(-1) ?? ''
  const act: JsonObject = { act: 'enter_card', account: 'target', session, card: 'pm_card_mastercard' }
  await school.rig.sandbox.fetch('http://x/_sandbox/act', { method: 'POST', body: JSON.stringify(act) })
}

/** Four writes: the session, two marks, and the charge of the moved member's subscription. */
test.each(boundaries(4).map((boundary) => [told(boundary), boundary] as const))(
  'crash anywhere: a card link %s ends as it would have without the crash',
  async (_, { request, side }) => {
    await using school = await members([{ since, card: 'pm_card_in' }, { since }], now)
    await planAndApply(school.stage('target'))
    const context = school.stage('target')
    const { customer } = await school.us.subscriptions.retrieve(school.subscriptions[0] ?? '')
    const owner = { subscriber: school.keys[0] ?? '', customer: customer as string }
    const life = mortal(context, (at) => at.request === request && at.side === side)
    const killed = await press(school, life.context, owner)
      .then(() => cardState(cardsOf(life.context), owner))
      .then(
        () => false,
        (error: unknown) => {
          if (error instanceof Killed) return true
          throw error
        },
      )
    expect(killed).toBe(true)
    await context.store.breakLease(applyLease)
    // The member opens the link again.
    const again = school.stage('target')
    const state = await cardState(cardsOf(again), owner)
    if (state.ok && state.value.state === 'open') await press(school, again, owner)
    expect(await cardState(cardsOf(again), owner)).toEqual({ ok: true, value: { state: 'entered' } })
    const sessions = (await school.target.checkout.sessions.list({ customer: owner.customer })).data
    expect(sessions.map(({ status }) => status)).toEqual(['complete'])
    expect((await school.target.customers.listPaymentMethods(owner.customer)).data).toHaveLength(2)
    expect([(await cardsCheck(again)).findings, (await verify(again)).violations]).toEqual([[], []])
    await school.advance('2026-10-25T00:00:00Z')
    expect((await school.charges())[0]?.slice(1)).toEqual(['target 2026-10-20T10:15:00Z 4900 usd'])
  },
)

test('fails closed: a link of a customer whom the target does not have opens nothing', async () => {
  await using school = await members([{ since }], now)
  const context = cardsOf(school.stage('target'))
  const owner = { subscriber: school.keys[0] ?? '', customer: 'cus_nobody' }
  expect(await cardState(context, owner)).toEqual({ ok: true, value: { state: 'gone' } })
  expect(await openCardPage(context, owner, 'https://school.example')).toEqual({ ok: true, value: { state: 'gone' } })
  expect((await school.target.checkout.sessions.list()).data).toEqual([])
})
