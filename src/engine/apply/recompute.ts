import { canonicalJson } from '../../core/canonical.ts'
import { parseInstant, secondsPerHour } from '../../core/instant.ts'
import { rekeyed, summaryOf } from '../../plan/assemble.ts'
import { readGuard } from '../../plan/guards.ts'
import { narrow } from '../../plan/narrow.ts'
import type { Change, NextCharge, Plan } from '../../plan/types.ts'
import { guardNames, type GuardName } from '../../catalog/guards.ts'
import type { Context } from '../context.ts'

/*
 * A saved plan is a proposal and no authority: whoever edits it can also compute its digest again. Everything in it that decides or was shown for review follows
 * from the catalog, the accounts and its own changes, so `apply` computes that part again and refuses the plan where it differs.
 */

/** A clock may be a little behind the one that made the plan. */
const clockTolerance = 300

/**
 * What in the document does not follow from the rest of it and from the catalog. Nothing is read
 * from outside.
 */
export function contradictions(
  { catalog, accounts }: Pick<Context, 'catalog' | 'accounts'>,
  plan: Plan,
): readonly string[] {
  const found: string[] = []
  const keys = rekeyed(plan)
  const isKeyed = plan.changes.every((change, at) =>
    change.steps.every((step, index) => step.idempotency_key === keys[at]?.[index]),
  )
  if (!isKeyed) found.push('its idempotency keys do not belong to its changes')
  const { unchanged: _, ...counted } = summaryOf(plan)
  const { unchanged: _told, ...told } = plan.summary
  if (canonicalJson(counted) !== canonicalJson(told)) found.push('its summary does not count its changes')
  const created = parseInstant(plan.created)
  const expires = parseInstant(plan.expires)
  if (created === undefined || expires === undefined)
    found.push('it does not say when it was made and until when it holds')
  else if (created > accounts.target.now() + clockTolerance) found.push(`it was made in the future (${plan.created})`)
  // Limits and hours come from project.yaml, which is compared by the digest of the catalog.
  if (plan.basis.catalog !== catalog.digest) return found
  if (created !== undefined && expires !== undefined)
    if (expires - created !== catalog.project.policies.plan_hours * secondsPerHour)
      found.push(`it holds longer or shorter than policies.plan_hours: ${catalog.project.policies.plan_hours}`)
  for (const { id, actual, limit, tripped } of plan.guards) {
    if (!isGuard(id)) {
      found.push(`it has a guard ${id}, which there is not`)
      continue
    }
    const reading = readGuard(id, actual, catalog.project.guards)
    if (reading.limit !== limit || reading.tripped !== tripped)
      found.push(`its guard ${id} has another limit than the project`)
  }
  for (const [currency, { before, after }] of Object.entries(plan.money.mrr)) {
    const rise = (plan.money.price_changes ?? [])
      .filter(({ applies }) => applies)
      .reduce((sum, { mrr }) => sum + (mrr[currency]?.after ?? 0) - (mrr[currency]?.before ?? 0), 0)
    if (after - before !== rise) found.push(`its revenue in ${currency} does not follow from its price changes`)
  }
  return found
}

function isGuard(id: string): id is GuardName {
  return guardNames.includes(id)
}

/**
 * What was reviewed beside the changes themselves, compared with the plan made now: order, what
 * belongs together, amounts, what prices do to people.
 */
export function otherDifferences(plan: Plan, fresh: Plan, ready: readonly Change[]): readonly string[] {
  const addresses = new Set(ready.map(({ address }) => address))
  const there = new Set(plan.changes.map(({ address }) => address))
  const needed = narrow(fresh.changes, [...addresses]).filter(({ address }) => !there.has(address))
  return [
    ...needed.map(({ address }) => `${address}: left out of the plan, which needs it`),
    ...chargeDifferences(plan, fresh, addresses),
    ...priceDifferences(plan, fresh, addresses),
  ]
}

/**
 * Amounts of people who change hands. Those of a changed price move on with every renewal and are
 * compared at equal dates.
 */
function chargeDifferences(plan: Plan, fresh: Plan, ready: ReadonlySet<string>): string[] {
  const about = ({ subscriber, price }: NextCharge): string => price ?? `subscriber.${subscriber}`
  const id = (one: NextCharge): string => `${one.price ?? ''} ${one.subscriber}`
  const now = new Map(fresh.money.next_charges.map((one) => [id(one), one]))
  const shown = new Map(plan.money.next_charges.map((one) => [id(one), one]))
  const unshown = [...now.values()].filter(
    (one) => ready.has(about(one)) && one.price === undefined && !shown.has(id(one)),
  )
  const wrong = [...shown.values()].filter((one) => {
    if (!ready.has(about(one))) return false
    const other = now.get(id(one))
    if (other === undefined) return one.price === undefined
    if (one.price !== undefined && one.at !== other.at) return false
    // A preview that failed on one of the two occasions says nothing.
    if (one.tax_not_included !== other.tax_not_included) return false
    return canonicalJson({ ...one }) !== canonicalJson({ ...other })
  })
  return [...unshown, ...wrong].map(
    ({ subscriber }) => `subscriber.${subscriber}: the next charge is another one than the plan shows`,
  )
}

function priceDifferences(plan: Plan, fresh: Plan, ready: ReadonlySet<string>): string[] {
  const effects = ({ money }: Plan): Map<string, string> =>
    new Map(
      (money.price_changes ?? []).map(({ address, on_change: intent, applies }) => [address, `${intent} ${applies}`]),
    )
  const [shown, now] = [effects(plan), effects(fresh)]
  return [...ready]
    .filter((address) => shown.get(address) !== now.get(address))
    .map((address) => `${address}: does something else to the people on it than the plan shows`)
}
