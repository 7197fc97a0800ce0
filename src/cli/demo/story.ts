import { addMonths } from '../../billing/calendar.ts'
import { formatInstant, instant, parseInstant, secondsPerDay } from '../../core/instant.ts'
import { present } from '../../core/assert.ts'
import type { ApplyResult } from '../../engine/apply/apply.ts'
import { compareCharges } from '../../engine/rehearse/compare-charges.ts'
import type { Identity } from '../../engine/state.ts'
import { plural } from '../render/words.ts'
import { worldCharges } from '../wiring/world-charges.ts'
import { openScene, type Scene } from './scene.ts'
import type { School } from './school.ts'
import type { Teller } from './teller.ts'

export const begins = '2026-12-01T12:00:00Z'

/** Every charge compared with the control run. */
export interface Reckoning {
  readonly expected: number
  readonly made: number
  readonly differences: ReturnType<typeof compareCharges>
}

/** The whole story, act by act. */
export async function tellStory(school: School, teller: Teller, months: number): Promise<Reckoning> {
  const scene = openScene(school, teller)
  await twoOldAccounts(scene)
  await cards(scene)
  await catalog(scene)
  await firstWave(scene)
  await secondWave(scene)
  await renewals(scene, months)
  return await reckoning(scene)
}

async function twoOldAccounts({ teller, shown }: Scene): Promise<void> {
  teller.act('Two old accounts')
  teller.say(
    'A school sells memberships and courses all over the world. Two old Stripe accounts, "us" and "intl", bill its subscribers. It wants one new account, "target". During the move, no member may be charged twice, and no member may be forgotten.',
    '"pull" reads both old accounts and writes YAML: prices, coupons, taxes, and one entry for each subscriber.',
  )
  await shown(['pull'], { lines: 16 })
}

async function cards({ school, teller, shown }: Scene): Promise<void> {
  teller.act('The cards')
  teller.say(
    'Stripe copies customers and their cards from one account to another, and provides a table of old and new ids. Crossbill matches cards by this table only.',
  )
  const files = [await school.copy('us'), await school.copy('intl')]
  await shown(['copy-map', 'import', ...files])
  await shown(['copy-map', 'check'], { lines: 16, codes: [0, 2] })
}

async function catalog(scene: Scene): Promise<void> {
  const { teller, shown } = scene
  teller.act('The new catalog')
  teller.say(
    'A plan shows what would change, before anything changes. No subscriber moves yet: the plan only creates the products, prices, coupons and tax rates of the new account.',
  )
  await shown(['plan'], { lines: 14 })
  await applyAll(scene)
}

async function firstWave(scene: Scene): Promise<void> {
  const { school, teller, shown } = scene
  teller.act('The first wave: all subscribers of "us"')
  teller.say(
    'Moving people is an edit: in catalog/subscribers/us the line "stage: source" becomes "stage: target". The plan shows the next charge of each person, which must be the same as before.',
  )
  await school.stage('us', 'source', 'target')
  await shown(['plan'], { lines: 30 })
  teller.say(
    '"apply" puts each old subscription on hold, creates the new one with its first charge on the day of the next old charge, and proves it.',
  )
  await applyAll(scene)
  teller.say('Subscribers who renew within two days wait. A week later they can move:')
  await school.advance(later(begins, { days: 7 }))
  await applyAll(scene)
}

async function secondWave(scene: Scene): Promise<void> {
  const { school, teller } = scene
  teller.act('The second wave: all subscribers of "intl"')
  await school.stage('intl', 'source', 'target')
  await applyAll(scene)
  await school.advance(later(begins, { days: 14 }))
  await applyAll(scene)
}

/** Months after which the old subscriptions of a wave are cancelled for good. */
const settling: Readonly<Record<number, string>> = { 3: 'us', 5: 'intl' }
/**
 * Subscribers who pay by sent invoice have no card payment that proves the move: a person decides.
 */
const decided = ['--allow', 'settle_unproven']

async function renewals(scene: Scene, months: number): Promise<void> {
  const { school, teller, verified } = scene
  teller.act(`${plural(months, 'month')} later`)
  teller.say(
    'All subscribers renew, in the account that now bills them. After each month, "verify" checks that exactly one account bills each of them.',
    '',
  )
  for (let month = 1; month <= months; month++) {
    const day = later(begins, { months: month, days: 14 })
    await school.advance(day)
    // Some can move only when their anchor is near enough, their discount is almost over, or their
    // first renewal is paid.
    const { changes } = await school.players.playJson<ApplyResult>(['apply', '--yes', ...decided])
    const { checked } = await verified(false)
    teller.say(
      `  ${day.slice(0, 7)}  ${plural(checked, 'subscriber')}, each with exactly one payer${doneText(changes)}`,
    )
    const wave = settling[month]
    if (wave !== undefined) await settle(scene, wave)
  }
}

function doneText(changes: ApplyResult['changes']): string {
  const done = (action: 'move' | 'settle'): number =>
    changes.filter((change) => change.action === action && change.outcome === 'done').length
  const parts = [
    done('move') === 0 ? [] : [`${done('move')} more moved`],
    done('settle') === 0 ? [] : [`${done('settle')} more settled`],
  ].flat()
  return parts.length === 0 ? '' : `; ${parts.join(', ')}`
}

async function settle(scene: Scene, wave: string): Promise<void> {
  const { school, teller, shown } = scene
  teller.say(
    '',
    wave !== 'us'
      ? `The wave "${wave}" is settled in the same way.`
      : `Until now every move could be undone. The first renewals of the wave "${wave}" are paid in the new account, so its old subscriptions, which were on hold, are cancelled for good: "stage: settled". Members who have not paid there yet wait. A guard asks before it settles members whose move no payment can prove.`,
  )
  await school.stage(wave, 'target', 'settled')
  await shown(['plan'], { lines: 14 })
  await applyAll(scene, decided)
}

async function reckoning({ school, teller }: Scene): Promise<Reckoning> {
  teller.act('The reckoning')
  teller.say(
    'A control run simulated the same subscribers and months without a migration. Every charge of the control run must also be made here, for the same person, in the same second and with the same amount, and no other charge may be made.',
    '',
  )
  const { unmigrated, made } = await school.charges()
  const identities = await school.players.playJson<readonly Identity[]>(['state', 'export'])
  const origins = new Map(
    identities.filter((one) => one.kind === 'subscription').map((one) => [one.new_id, `${one.source}/${one.old_id}`]),
  )
  const since = (charge: { at: string }): boolean => charge.at > begins
  const expected = worldCharges(unmigrated.filter(since), new Map())
  const actual = worldCharges(made.filter(since), origins)
  return { expected: expected.length, made: actual.length, differences: compareCharges(expected, actual) }
}

async function applyAll({ shown, verified }: Scene, allowed: readonly string[] = []): Promise<void> {
  await shown(['apply', '--yes', ...allowed])
  await verified(true)
}

/** Calendar months and days after an instant, both written as `2026-12-01T12:00:00Z`. */
function later(from: string, { months = 0, days = 0 }: { readonly months?: number; readonly days?: number }): string {
  const start = present(parseInstant(from), `an instant in ${from}`)
  return formatInstant(instant(addMonths(start, months) + days * secondsPerDay))
}
