import type Stripe from 'stripe'
import { standingOf } from '../../assumptions/standing.ts'
import { formatInstant } from '../../core/instant.ts'
import { isServiceEndpoint, serviceEndpoint } from '../../catalog/service-endpoint.ts'
import { asRebuilt } from '../../engine/as-rebuilt.ts'
import type { Context } from '../../engine/context.ts'
import { copyMapCheck } from '../../engine/verify/copied.ts'
import { doctor } from '../../engine/doctor/doctor.ts'
import { appliedPlans } from '../../engine/apply/applied-log.ts'
import { personDates } from '../../engine/plan/person-dates.ts'
import { declineRates } from '../../engine/plan/decline-rates.ts'
import { makePlan } from '../../engine/plan/make-plan.ts'
import { wayAhead } from '../../engine/plan/way.ts'
import { survey, type Survey } from '../../engine/plan/survey.ts'
import type { StripeAccount } from '../../engine/ports.ts'
import { listed } from '../../engine/send/listed.ts'
import { stateExport } from '../../engine/state.ts'
import { verify } from '../../engine/verify/verify.ts'
import { isOver } from '../../live/subscription.ts'
import { intervalOf } from './deliverables/mapping.ts'
import type { Endpoint, Evidence, OldPrice } from './evidence.ts'
import type { RehearsalRecord } from './rehearsal-record.ts'

/**
 * Reads everything that the evidence packet shows. The accounts are read once, so that all
 * documents agree. Read-only.
 */
export async function gather(context: Context, rehearsals: readonly RehearsalRecord[]): Promise<Evidence> {
  const surveyed = await survey(context)
  const rebuilt = await asRebuilt(context, surveyed)
  const accounts = [context.accounts.target, ...context.accounts.sources.values()]
  return {
    tool: context.tool,
    at: formatInstant(context.accounts.target.now()),
    catalog: context.catalog,
    plan: await makePlan(context, { seen: surveyed }),
    way: await wayAhead(context, surveyed),
    verified: await verify(context, surveyed),
    doctor: await doctor(context, { localNow: Math.floor(Date.now() / 1_000) }),
    copied: await copyMapCheck(context, surveyed),
    standing: standingOf(context.confirmed ?? { missing: true }, context.catalog),
    identities: await stateExport(rebuilt),
    phases: new Map((await rebuilt.store.subscribers()).map(({ key, phase }) => [key, phase])),
    monthly: new Map(
      surveyed.classified.flatMap(({ key, monthly }) => (monthly === undefined ? [] : [[key, monthly]])),
    ),
    dates: await personDates(context, surveyed),
    applied: await appliedPlans(context.store),
    oldPrices: oldPrices(surveyed),
    declines: declineRates(surveyed.live),
    endpoints: (await Promise.all(accounts.map((one) => endpointsOf(context, one)))).flat(),
    rehearsals,
  }
}

/** The prices that live subscriptions of the sources use, the most used first. */
function oldPrices({ live }: Pick<Survey, 'live'>): readonly OldPrice[] {
  return [...live.sources].flatMap(([source, { subscriptions }]) => {
    const items = subscriptions.filter((one) => !isOver(one)).flatMap(({ items: { data } }) => data)
    return [...Map.groupBy(items, ({ price }) => price.id)]
      .map(([id, all]): OldPrice => ({ source, id, people: all.length, ...termsOf(all[0]?.price) }))
      .toSorted((a, b) => b.people - a.people || (a.id < b.id ? -1 : 1))
  })
}

function termsOf(price: Stripe.Price | undefined): Pick<OldPrice, 'amount' | 'currency' | 'interval' | 'tax'> {
  return {
    amount: price?.unit_amount ?? null,
    currency: price?.currency ?? '',
    interval: intervalOf({ ...price?.recurring }),
    tax: price?.tax_behavior ?? 'unspecified',
  }
}

/** A list that the key may not read is empty here; `doctor` reports the missing permission. */
async function endpointsOf({ catalog }: Context, account: StripeAccount): Promise<readonly Endpoint[]> {
  const all = await listed(account, '/v1/webhook_endpoints', {})
  const own = serviceEndpoint(catalog, account.name)
  return (all.ok ? all.value : []).map((one) => ({
    account: account.name,
    url: String(one['url'] as string).replace(/[?#].*$/s, '?…'),
    status: String(one['status'] as string),
    events: Array.isArray(one['enabled_events']) ? one['enabled_events'].map(String) : [],
    isService: isServiceEndpoint(own, one),
  }))
}
