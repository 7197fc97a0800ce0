import { canonicalJson } from '../../core/canonical.ts'
import { parseInstant, secondsPerHour } from '../../core/instant.ts'
import { rekeyed, summaryOf } from '../../plan/assemble.ts'
import { readGuard } from '../../plan/guards.ts'
import { narrow } from '../../plan/narrow.ts'
import type { Change, NextCharge, Plan } from '../../plan/types.ts'
import type { Context } from '../context.ts'

/*
 * A saved plan is a proposal without authority: a person who edits it can also compute its digest
 * again. Every part that decides something or was shown for review follows from the catalog, the
 * accounts and the plan's own changes. So `apply` computes these parts again, and refuses the plan
 * when they differ.
 */

/** The clock may be slightly behind the clock that made the plan. */
const clockTolerance = 300

/**
 * Lists the parts of the document that do not follow from the rest of it and from the catalog.
 * Reads nothing from outside.
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
    found.push('it does not state when it was made and when it expires')
  else if (created > accounts.target.now() + clockTolerance) found.push(`it was made in the future (${plan.created})`)
  // Limits and hours come from project.yaml, which the digest of the catalog covers.
  if (plan.basis.catalog !== catalog.digest) return found
  if (created !== undefined && expires !== undefined)
    if (expires - created !== catalog.project.policies.plan_hours * secondsPerHour)
      found.push(`its time to expiry differs from policies.plan_hours: ${catalog.project.policies.plan_hours}`)
  for (const { id, actual, limit, tripped } of plan.guards) {
    const reading = readGuard(id, actual, catalog.project.guards)
    if (reading.limit !== limit || reading.tripped !== tripped)
      found.push(`its guard ${id} has a different limit from the project`)
  }
  for (const [currency, { before, after }] of Object.entries(plan.money.mrr)) {
    const rise = (plan.money.price_changes ?? [])
      .filter(({ applies }) => applies)
      .reduce((sum, { mrr }) => sum + (mrr[currency]?.after ?? 0) - (mrr[currency]?.before ?? 0), 0)
    if (after - before !== rise) found.push(`its revenue in ${currency} does not follow from its price changes`)
  }
  return found
}

/**
 * Compares the other reviewed parts with the plan made now: the order, changes that belong
 * together, amounts, and the effect of price changes on people.
 */
export function otherDifferences(plan: Plan, fresh: Plan, ready: readonly Change[]): readonly string[] {
  const addresses = new Set(ready.map(({ address }) => address))
  const there = new Set(plan.changes.map(({ address }) => address))
  const needed = narrow(fresh.changes, [...addresses]).filter(({ address }) => !there.has(address))
  return [
    ...needed.map(({ address }) => `${address}: missing from the plan, which needs it`),
    ...chargeDifferences(plan, fresh, addresses),
    ...priceDifferences(plan, fresh, addresses),
  ]
}

/**
 * Compares the amounts of people who change payers. The amounts of a changed price move with every
 * renewal and are compared at equal dates.
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
    // When one of the two previews failed, the comparison shows nothing.
    if (one.tax_not_included !== other.tax_not_included) return false
    return canonicalJson({ ...one }) !== canonicalJson({ ...other })
  })
  return [...unshown, ...wrong].map(
    ({ subscriber }) => `subscriber.${subscriber}: the next charge differs from the one in the plan`,
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
    .map((address) => `${address}: its effect on the people on it differs from the one in the plan`)
}
