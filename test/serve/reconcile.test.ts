import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { crossbill } from '../cli/crossbill.ts'
import type { Member } from '../inbox/rig.ts'
import { openTown, until, type Town } from './town.ts'

let town: Town
beforeEach(async () => {
  town = await openTown()
})
afterEach(() => town.close())

const reconcile = async (...words: string[]) => crossbill(['inbox', 'reconcile', ...words], town.folder, town.env)
const offersOf = async ({ contact }: Member): Promise<unknown> => {
  const offers = await town.rig.kajabi.offersOf(contact)
  return offers.ok ? offers.value.length : offers.failure.code
}

function declare(...members: readonly Member[]): void {
  const entries = members.map(
    ({ old, customer }) =>
      `  ${old}: { customer: ${customer}, currency: usd, items: [{ price: membership }], anchor: 2026-01-01T00:00:00Z }\n`,
  )
  mkdirSync(join(town.folder, 'catalog/subscribers/us'), { recursive: true })
  writeFileSync(
    join(town.folder, 'catalog/subscribers/us/wave-01.yaml'),
    `stage: target\nsubscribers:\n${entries.join('')}`,
  )
}

test('inbox reconcile repairs and reports; beside a service nothing is left', { timeout: 60_000 }, async () => {
  const { rig } = town
  const [ada, bo] = [await rig.member('ada', 'settled'), await rig.member('bo', 'held')]
  const cy = await rig.member('cy', 'settled')
  declare(cy)
  await rig.stripe('target').subscriptions.cancel(ada.successor ?? '')
  await rig.stripe('us').subscriptions.update(bo.old, { pause_collection: '' })
  await rig.store.putSubscribers([
    { key: bo.subscriber, phase: 'moved', facts: { phase: 'moved' }, updated: rig.now() },
  ])
  await rig.act({ act: 'revoke', contact: cy.contact, offer: rig.access.offers['membership']?.kajabi })
  const hooks = await rig.kajabi.hooks()
  for (const { id } of hooks.ok ? hooks.value : []) await rig.kajabi.deleteHook(id)

  const first = await reconcile()
  // A busy machine prints how far it is.
  expect([first.code, first.stderr]).toEqual([2, expect.stringMatching(/^(?:reading accounts: .*\n)?$/)])
  for (const line of [
    'Compared 6 subscriptions with 2 offers of members, and 1 hook.',
    'Repaired: revoked 1 offer that no live subscription pays for.',
    'Repaired: created 1 hook again',
    `Holds that were removed outside Crossbill: 1. No service runs on this store`,
    `  ${bo.subscriber}\n`,
    'Not repaired: 1 offer paid for and missing in Kajabi',
    `  ${cy.subscriber} membership\n`,
  ])
    expect(first.stdout).toContain(line)
  expect([await offersOf(ada), await offersOf(cy)]).toEqual([0, 0])

  const service = await town.serve()
  await until('the hold is back', async () => {
    return (await rig.stripe('us').subscriptions.retrieve(bo.old)).pause_collection !== null
  })
  await rig.kajabi.grant(cy.contact, rig.access.offers['membership']?.kajabi ?? '', { welcome: false })
  const second = await reconcile('--format', 'json')
  expect([second.code, second.stderr]).toEqual([0, expect.stringMatching(/^(?:reading accounts: .*\n)?$/)])
  expect(JSON.parse(second.stdout)).toMatchObject({
    differences: 0,
    compared: { subscriptions: 6, hooks: 1 },
    mended: { offers_taken: 0, hooks_created: 0 },
    left_to_service: { holds: [], serving: true },
    left_to_apply: { offers_missing: [] },
  })
  expect(await (await fetch(service.adminUrl)).text()).toContain('0 differences')

  const env = { ...town.env, KAJABI_SECRET: 'revoked' }
  const down = await crossbill(['inbox', 'reconcile'], town.folder, env)
  expect([down.code, down.stderr]).toEqual([1, expect.stringContaining('reconciliation_failed')])
})
