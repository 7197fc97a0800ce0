import { formatInstant, parseInstant, type Instant } from '../core/instant.ts'
import { compareCharges, type WorldCharge } from './compare-charges.ts'
import type { Context } from './context.ts'
import { isJsonObject } from '../core/json.ts'
import { listAll } from './read-account.ts'
import type { Migration } from './rehearsal-migration.ts'
import type { RehearsalDifference, RehearsalReport } from './rehearsal-report.ts'
import type { RehearsalWorld, SimulatedCharge } from './rehearse.ts'

export interface Played {
  readonly stay: RehearsalWorld
  readonly move: RehearsalWorld
  readonly migration: Migration
  readonly began: Instant
  readonly ended: Instant
  readonly seed: number
  readonly months: number
}

/** Everything the two worlds say, put side by side. */
export async function rehearsalReport(context: Context, played: Played): Promise<RehearsalReport> {
  const { stay, move, migration, began, ended, seed, months } = played
  const here = (await stay.charges()).filter(({ at }) => at > began)
  const there = (await move.charges()).filter(({ at }) => at > began)
  const expected = here.filter(({ succeeded }) => succeeded)
  const actual = there.filter(({ succeeded }) => succeeded)
  const found = [...payersFound(move), ...compareCharges(expected, actual), ...notMoved(migration)]
  const count = (code: RehearsalDifference['code']): number => found.filter((one) => one.code === code).length
  const { kills, storesLost } = migration
  const injected = { ...(await move.faults()), kill: kills, store_lost: storesLost }
  return {
    seed,
    months,
    subscribers: context.catalog.subscribers.length,
    ok: found.length === 0,
    began,
    ended,
    counts: {
      expected: expected.length,
      actual: actual.length,
      double: count('double'),
      missed: count('missed'),
      amount_differs: count('amount_differs'),
      date_differs: count('date_differs'),
      two_payers: count('two_payers'),
      not_moved: count('not_moved'),
    },
    currencies: currencies(expected, actual),
    days: days(expected, actual),
    waves: migration.waves,
    differences: await explained(move, found),
    standing: standing(migration),
    declines: { expected: declined(here), actual: declined(there) },
    dunning: { expected: await behind(stay), actual: await behind(move) },
    members: migration.members,
    faults: Object.entries(injected)
      .map(([kind, number]) => ({ kind, count: number }))
      .filter((fault) => fault.count > 0),
  }
}

type Found = Omit<RehearsalDifference, 'cause' | 'remedy'>

function payersFound(move: RehearsalWorld): readonly Found[] {
  return move.twoPayers().map(({ subscriber, at, payers }) => ({
    code: 'two_payers',
    subscriber,
    at,
    detail: `could have been charged by ${payers.join(' and by ')}`,
  }))
}

function notMoved({ failed }: Migration): readonly Found[] {
  return failed.map(({ address, at, outcome, code, message }) => ({
    code: 'not_moved',
    subscriber: nameIn(address),
    at,
    detail: [outcome, code, message].filter((part) => part !== undefined).join(', '),
  }))
}

function currencies(expected: readonly WorldCharge[], actual: readonly WorldCharge[]): RehearsalReport['currencies'] {
  const sum = (charges: readonly WorldCharge[], currency: string) => {
    const some = charges.filter((one) => one.currency === currency)
    return { charges: some.length, amount: some.reduce((total, { amount }) => total + amount, 0) }
  }
  const all = [...new Set([...expected, ...actual].map(({ currency }) => currency))].toSorted()
  return all.map((currency) => ({ currency, expected: sum(expected, currency), actual: sum(actual, currency) }))
}

function days(expected: readonly WorldCharge[], actual: readonly WorldCharge[]): RehearsalReport['days'] {
  const counts = new Map<string, { expected: number; actual: number }>()
  const add = (charges: readonly WorldCharge[], side: 'expected' | 'actual'): void => {
    for (const { at } of charges) {
      const day = formatInstant(at).slice(0, 10)
      const before = counts.get(day) ?? { expected: 0, actual: 0 }
      counts.set(day, { ...before, [side]: before[side] + 1 })
    }
  }
  add(expected, 'expected')
  add(actual, 'actual')
  return [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([day, both]) => ({ day, ...both }))
}

const remedies: Readonly<Record<RehearsalDifference['code'], string>> = {
  double: 'do not apply this wave: exclude the subscriber with a reason and report the seed',
  missed: 'do not apply this wave: exclude the subscriber with a reason and report the seed',
  amount_differs: 'compare the prices, discounts and tax rates that the mappings join',
  two_payers: 'do not apply this wave: exclude the subscriber with a reason and report the seed',
  not_moved: 'exclude the subscriber with a reason, or mend what the hand-over stumbled over',
  date_differs: 'compare the billing anchor of both subscriptions; exclude the subscriber until that is understood',
}

async function explained(
  { context }: RehearsalWorld,
  found: readonly Found[],
): Promise<readonly RehearsalDifference[]> {
  const records = new Map((await context.store.subscribers()).map((one) => [one.key, one]))
  return found.map((one) => {
    const record = records.get(one.subscriber)
    const reason = record?.facts['reason']
    const why = isJsonObject(reason) && typeof reason['code'] === 'string' ? `, ${reason['code']}` : ''
    const cause =
      record === undefined ? 'never touched by the migration' : `its hand-over stands at ${record.phase}${why}`
    return { ...one, cause, remedy: remedies[one.code] }
  })
}

function standing({ last }: Migration): RehearsalReport['standing'] {
  const nothingToDo = 'nothing to do: it is moved by a later plan'
  return [
    ...last.deferred.map(({ address, code, until, message }) => {
      const at = parseInstant(until)
      const base = {
        subscriber: nameIn(address),
        outcome: 'deferred' as const,
        code,
        message: message ?? '',
        fix: nothingToDo,
      }
      return at === undefined ? base : { ...base, until: at }
    }),
    ...last.blocked.map(({ address, code, message, fix }) => ({
      subscriber: nameIn(address),
      outcome: 'blocked' as const,
      code,
      message,
      fix,
    })),
  ]
}

function declined(charges: readonly SimulatedCharge[]): number {
  return charges.filter(({ succeeded }) => !succeeded).length
}

/** Subscriptions that fell behind or were ended by dunning, over all accounts. */
async function behind({ accounts }: RehearsalWorld): Promise<number> {
  const lists = await Promise.all(
    [accounts.target, ...accounts.sources.values()].map((account) =>
      listAll(account, '/v1/subscriptions', { status: 'all' }),
    ),
  )
  return lists.flat().filter((one) => {
    const details = one['cancellation_details']
    const lapsed = isJsonObject(details) && details['reason'] === 'payment_failed'
    return one['status'] === 'past_due' || one['status'] === 'unpaid' || lapsed
  }).length
}

/** `us/sub_…` of `subscriber.us/sub_…`. */
function nameIn(address: string): string {
  return address.slice(address.indexOf('.') + 1)
}
