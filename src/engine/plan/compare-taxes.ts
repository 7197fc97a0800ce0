import { idIn } from '../send/catalog-ids.ts'
import type { JsonObject } from '../../core/json.ts'
import { CommandError, type Failure } from '../../core/outcome.ts'
import { withLiveValues } from '../../handover/live-values.ts'
import { previewParams } from '../../handover/preview.ts'
import { carriedDetails, readTaxes } from '../../handover/carried/tax.ts'
import { keptTogether } from '../../handover/carried/together.ts'
import { leftByDecision } from '../../handover/left-by-decision.ts'
import { judgeTaxes, type TaxChange, type TaxFinding } from '../../handover/carried/tax-verdicts.ts'
import type { Classification, HandoverPlan } from '../../handover/types.ts'
import { referencesIn } from '../../plan/references.ts'
import { accountNamed, type Context } from '../context.ts'
import { previewInvoice } from '../handover/previews.ts'
import { fillParams } from '../send/references.ts'
import { sideBySide } from '../side-by-side.ts'
import { asInvoice } from '../read/subscriptions.ts'
import { resourcesOf, type Survey } from './survey.ts'

/**
 * The most groups compared in one plan, with two previews each. The smallest groups beyond it are
 * compared during their hand-overs.
 */
const groupsMax = 120
/** Members tried for a group when the preview of the first one fails. */
const triesMax = 3
const groupsAtATime = 8

interface Member {
  readonly one: Classification
  readonly plan: HandoverPlan
}

interface Found {
  readonly byGroup: Map<string, TaxFinding>
  readonly lost: Set<string>
}

/**
 * Compares the tax that the target would charge with the tax that the source charges, for
 * subscribers to be moved, and in the other direction for those to be reverted. One member of each
 * group with equal terms is previewed on both sides. Read-only. When the difference stops a move,
 * the plan loses that move and the catalog changes that only it needs.
 */
export async function compareTaxes(
  context: Context,
  seen: Survey,
): Promise<{ readonly seen: Survey; readonly tax: readonly TaxChange[] }> {
  const groups = [...groupsOf(seen.classified)].toSorted(
    ([a, some], [b, others]) => others.length - some.length || (a < b ? -1 : 1),
  )
  if (groups.length === 0) return { seen, tax: [] }
  const found: Found = { byGroup: new Map(), lost: new Set() }
  for (const [group] of groups.slice(groupsMax))
    found.byGroup.set(group, { is: 'later', why: `only the ${groupsMax} largest groups are compared in a plan` })
  const queues = groups.slice(0, groupsMax).map((group) => [group])
  await sideBySide(queues, groupsAtATime, async ([group, members]) => {
    found.byGroup.set(group, await findingOf(context, seen, members, found.lost))
    return true
  })
  const { policies } = context.catalog.project
  const { classified: judged, tax } = judgeTaxes(seen.classified, found, policies)
  const classified = keptTogether(judged).map((one) => leftByDecision(one, policies.leave))
  return { seen: { ...seen, classified, resources: resourcesOf(seen, classified, context.catalog) }, tax }
}

/**
 * Groups the subscribers whose tax Stripe computes by what decides the tax. The largest bill comes
 * first, since it shows rates most exactly.
 */
function groupsOf(classified: readonly Classification[]): ReadonlyMap<string, readonly Member[]> {
  const members = classified.flatMap((one): Member[] =>
    one.taxed !== undefined && 'plan' in one ? [{ one, plan: one.plan }] : [],
  )
  const groups = Map.groupBy(members, ({ one }) => one.taxed?.group ?? '')
  const amount = ({ plan }: Member): number => plan.charge?.amount ?? 0
  return new Map(
    [...groups].map(([group, all]) => [
      group,
      all.toSorted((a, b) => amount(b) - amount(a) || (a.one.key < b.one.key ? -1 : 1)),
    ]),
  )
}

async function findingOf(
  context: Context,
  seen: Survey,
  members: readonly Member[],
  lost: Set<string>,
): Promise<TaxFinding> {
  const ready = members.filter(({ plan }) => isMade(plan, seen))
  if (ready.length === 0) return { is: 'later', why: 'its prices are not in the target yet' }
  let why = ''
  for (const member of ready.slice(0, triesMax)) {
    const finding = await compare(context, seen, member)
    if (finding.is !== 'later') return finding
    if (finding.failure?.code === 'customer_tax_location_invalid') lost.add(member.one.key)
    why = finding.why
  }
  return { is: 'later', why }
}

/**
 * Whether everything that the new subscription refers to exists and is active in the target. A
 * revert creates nothing.
 */
function isMade(plan: HandoverPlan, { resources, live }: Survey): boolean {
  const active = (id: string): boolean => live.target.prices?.get(id)?.active !== false
  return referencesIn(plan.steps.find(({ id }) => id === 'create')?.params).every((ref) => {
    const id = idIn(resources, ref)
    return id !== undefined && active(id)
  })
}

async function compare(
  context: Context,
  { live, resources }: Survey,
  { one: { key }, plan }: Member,
): Promise<TaxFinding & { readonly failure?: Failure }> {
  const { source, customer_old: customerOld, customer_new: customerNew, old } = plan.expect
  const account = live.sources.get(source)
  const subscription = account?.subscriptions.find(({ id }) => id === old)
  if (plan.goal === 'revert') return compareBack(context, plan)
  const details = carriedDetails(plan, live.target.customers.get(customerNew))
  const params = previewParams(plan)
  const filled = fillParams(params.new, (ref) => idIn(resources, ref))
  if (subscription === undefined || !filled.ok) return { is: 'later', why: 'its prices are not in the target yet' }
  const told: JsonObject =
    details === undefined
      ? {}
      : { customer_details: withLiveValues(details, { subscription, customer: account?.customers.get(customerOld) }) }
  const [before, after] = await Promise.all([
    previewInvoice(context, accountNamed(context, source), params.old),
    previewInvoice(context, context.accounts.target, { ...filled.value, ...told }),
  ])
  for (const outcome of [before, after])
    if (!outcome.ok && outcome.failure.kind !== 'rejected') throw unreadable(key, outcome.failure)
  if (!after.ok && after.failure.code === 'stripe_tax_inactive')
    return { is: 'impossible', why: 'Stripe Tax is not set up in the target' }
  if (!after.ok) return { is: 'later', why: refusal('the target', after.failure), failure: after.failure }
  if (!before.ok) return { is: 'later', why: refusal(source, before.failure) }
  return { is: 'compared', before: readTaxes(asInvoice(before.value)), after: readTaxes(asInvoice(after.value)) }
}

/**
 * Both subscriptions exist: compares the next charge of the new one with the next charge of the old
 * one after a revert. The amounts are shown only, so a failed preview does not stop a revert.
 */
async function compareBack(context: Context, { expect }: HandoverPlan): Promise<TaxFinding> {
  const { source, old, successor } = expect
  const [before, after] = await Promise.all([
    previewInvoice(context, context.accounts.target, { subscription: successor }),
    previewInvoice(context, accountNamed(context, source), { subscription: old }),
  ])
  if (!after.ok) return { is: 'later', why: refusal(source, after.failure) }
  // The new subscription's charge is for comparison only.
  const taxes = readTaxes(asInvoice(after.value))
  return { is: 'compared', before: before.ok ? readTaxes(asInvoice(before.value)) : taxes, after: taxes }
}

/** The same words for every subscriber concerned, so that they can be grouped. */
function refusal(account: string, { status, code }: Failure): string {
  return status === 403
    ? `the key of ${account} has no permission to preview invoices`
    : `a preview in ${account} was refused (${code})`
}

function unreadable(key: string, { message, code }: Failure): CommandError {
  return new CommandError(
    'preview_unreadable',
    `the next invoice of ${key} cannot be previewed: ${message} (${code})`,
    {
      notDone: 'nothing was planned',
      fix: 'run the same command again',
    },
  )
}
