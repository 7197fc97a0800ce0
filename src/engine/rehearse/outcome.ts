import { isLapsed, paymentFailure } from '../../live/subscription.ts'
import { splitAddress } from '../../core/address.ts'
import { formatInstant, instant, parseInstant, secondsPerDay, type Instant } from '../../core/instant.ts'
import { compareCharges, type WorldCharge } from './compare-charges.ts'
import { survey } from '../plan/survey.ts'
import { isJsonObject, type StripeObject } from '../../core/json.ts'
import { deferredCodes } from '../../handover/codes.ts'
import { markFrom } from '../../live/marks.ts'
import { listAll } from '../read/lists.ts'
import type { Migration } from './migration.ts'
import { explained, type Found } from './causes.ts'
import type { RehearsalDifference, RehearsalReport } from './report.ts'
import type { RehearsalWorld, SimulatedCharge } from './world.ts'

export interface Played {
  readonly stay: RehearsalWorld
  readonly move: RehearsalWorld
  readonly migration: Migration
  readonly people: RehearsalReport['people']
  readonly began: Instant
  readonly ended: Instant
  readonly seed: number
  readonly months: number
}

/** The results of both runs, compared. */
export async function rehearsalReport(played: Played): Promise<RehearsalReport> {
  const { stay, move, migration, people, began, ended, seed, months } = played
  const here = (await stay.charges()).filter(({ at }) => at >= began)
  const there = (await move.charges()).filter(({ at }) => at >= began)
  const expected = here.filter(({ succeeded }) => succeeded)
  const actual = there.filter(({ succeeded }) => succeeded)
  const carried = actual.filter((one) => one.carried === true).length
  const all = [...payersFound(move), ...compareCharges(expected, actual), ...notMoved(migration)]
  const { others: found, told: moveDeclines } = migration.moveDeclines.split(all, ended)
  const count = (code: RehearsalDifference['code']): number => found.filter((one) => one.code === code).length
  const { kills, storesLost } = migration
  const injected = { ...(await move.faults()), kill: kills, store_lost: storesLost }
  return {
    seed,
    months,
    ...(moveDeclines.share === 0 ? {} : { moveDeclines }),
    subscribers: people.declared,
    people,
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
    days: days({ began, ended }, expected, actual),
    waves: migration.waves,
    ...(carried === 0 ? {} : { carriedInvoices: carried }),
    ...(migration.answering === undefined ? {} : { answering: migration.answering }),
    differences: await explained(played, migration, found),
    standing: await standing(move, migration),
    declines: { expected: declined(here), actual: declined(there) },
    dunning: { expected: await behind(stay), actual: await behind(move) },
    members: migration.members,
    faults: Object.entries(injected)
      .map(([kind, number]) => ({ kind, count: number }))
      .filter((fault) => fault.count > 0),
  }
}

function payersFound(move: RehearsalWorld): readonly Found[] {
  return move.twoPayers().map(({ subscriber, at, payers }) => ({
    code: 'two_payers',
    subscriber,
    at,
    detail: `could have been charged by ${payers.join(' and by ')}`,
  }))
}

function notMoved({ failed }: Migration): readonly Found[] {
  return failed.map(({ address, at, outcome, code, message, fix }) => ({
    code: 'not_moved',
    subscriber: splitAddress(address).key,
    at,
    detail: [outcome, code, message].filter((part) => part !== undefined).join(', '),
    ...(fix === undefined ? {} : { fix }),
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

/**
 * Every day of the rehearsal, including days without a charge.
 */
function days(
  { began, ended }: Pick<Played, 'began' | 'ended'>,
  expected: readonly WorldCharge[],
  actual: readonly WorldCharge[],
): RehearsalReport['days'] {
  const dayOf = (at: number): number => Math.floor(at / secondsPerDay)
  const perDay = (charges: readonly WorldCharge[]): ReadonlyMap<number, number> => {
    const counts = new Map<number, number>()
    for (const { at } of charges) counts.set(dayOf(at), (counts.get(dayOf(at)) ?? 0) + 1)
    return counts
  }
  const [here, there] = [perDay(expected), perDay(actual)]
  const first = dayOf(began)
  return Array.from({ length: dayOf(ended) - first + 1 }, (_, index) => {
    const at = first + index
    const day = formatInstant(instant(at * secondsPerDay)).slice(0, 10)
    return { day, expected: here.get(at) ?? 0, actual: there.get(at) ?? 0 }
  })
}

async function standing({ context }: RehearsalWorld, { last }: Migration): Promise<RehearsalReport['standing']> {
  const moved = new Set(
    (await context.store.subscribers()).filter(({ phase }) => phase === 'moved').map(({ key }) => key),
  )
  const monthly = new Map((await survey(context)).classified.map((one) => [one.key as string, one.monthly]))
  const about = (address: string) => {
    const { key } = splitAddress(address)
    const billed = monthly.get(key)
    return { subscriber: key, moved: moved.has(key), ...(billed === undefined ? {} : { monthly: billed }) }
  }
  return [
    ...last.deferred.map(({ address, code, until, message }) => {
      const at = parseInstant(until)
      const base = {
        ...about(address),
        outcome: 'deferred' as const,
        code,
        message: message ?? '',
        fix: deferredFix(code),
      }
      return at === undefined ? base : { ...base, until: at }
    }),
    ...last.blocked.map(({ address, code, message, fix }) => ({
      ...about(address),
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

/**
 * Subscribers who fell behind or were ended by dunning. A subscriber whose old and new subscription
 * both did counts once.
 */
async function behind({ accounts }: RehearsalWorld): Promise<number> {
  const names = await Promise.all(
    [accounts.target, ...accounts.sources.values()].map(async (account) =>
      (await listAll(account, '/v1/subscriptions', { status: 'all' })).filter(fellBehind).map((one) => {
        const from = isJsonObject(one['metadata']) ? one['metadata'][markFrom] : undefined
        return typeof from === 'string' ? from : `${account.name}/${one.id}`
      }),
    ),
  )
  return new Set(names.flat()).size
}

function fellBehind(subscription: StripeObject): boolean {
  return paymentFailure(subscription) !== undefined || isLapsed(subscription)
}

function deferredFix(code: string): string {
  const known: Readonly<Record<string, { readonly fix: string } | undefined>> = deferredCodes
  return known[code]?.fix ?? 'Nothing to do: plan again later.'
}
