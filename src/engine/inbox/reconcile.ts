import type { Catalog } from '../../catalog/types.ts'
import type { SubscriberKey } from '../../core/address.ts'
import { digest } from '../../core/canonical.ts'
import { isJsonObject } from '../../core/json.ts'
import { instant, type Instant } from '../../core/instant.ts'
import { success, type Outcome } from '../../core/outcome.ts'
import { rememberAccess } from '../access/remember.ts'
import { restoreGrants, undecidedOffers } from '../access/restore-grants.ts'
import { readAccess, type AccessSurvey } from '../access/survey.ts'
import { observeOld } from '../../live/observations.ts'
import type { Live } from '../../live/accounts.ts'
import type { AccessPort } from '../access-port.ts'
import type { KajabiSite } from '../kajabi-port.ts'
import { withLease } from '../lease.ts'
import type { Progress } from '../ports.ts'
import { refresh } from '../read/refresh.ts'
import { collectLeft } from '../send/collection.ts'
import { sidesOf } from '../check/sides.ts'
import { acceptSignal } from './accept.ts'
import type { InboxContext } from './context.ts'
import { followAccess } from './follow-access.ts'
import { ensureHooks, type HookAddress, type HooksEnsured } from './hooks.ts'

export interface Reconciliation {
  readonly at: Instant
  /** Offers that are paid for and missing in Kajabi. */
  readonly missing: number
  /**
   * Offers that Crossbill granted and revoked now, because no subscription pays for them any more.
   */
  readonly taken: number
  readonly hooksCreated: number
  /**
   * Old subscriptions that would collect although their successor is live: their hold is being
   * restored.
   */
  readonly holds: number
}

/** One full reconciliation: the number of things compared, and the ids behind the counts. */
export interface Reconciled extends Reconciliation {
  readonly compared: {
    /** Subscriptions of all accounts. */
    readonly subscriptions: number
    /** Offers that are paid for, or that Crossbill granted. */
    readonly offers: number
    /** Hooks that should exist; 0 where hooks could not be read. */
    readonly hooks: number
  }
  /** Addresses of the missing grants, as a plan names them. */
  readonly toGrant: readonly string[]
  /** Subscribers whose hold is gone. */
  readonly unheld: readonly SubscriberKey[]
}

export interface ReconcileContext extends InboxContext {
  readonly catalog: Catalog
  readonly progress: Progress
  /** Where Kajabi's hooks should point; undefined when the project does not set it. */
  readonly hooks: HookAddress | undefined
}

const reconciledKey = 'reconciliation'

/** One reconciliation at a time on one store: two at once would both create the missing hooks. */
export const reconcileLease = 'reconcile'

/**
 * Compares offers with live subscriptions in both directions, compares hooks with the
 * configuration, and checks that every hold is in place. It revokes access that no subscription
 * pays for and restores removed holds. It only reports missing access, because apply grants it.
 * Runs once a day and on demand.
 * @throws CommandError `apply_running` when another reconciliation keeps running; `lease_lost`
 */
export async function reconcile(context: ReconcileContext): Promise<Outcome<Reconciled>> {
  return withLease(context, reconcileLease, async (_held, bound) => compare(bound))
}

async function compare(context: ReconcileContext): Promise<Outcome<Reconciled>> {
  const live = await refresh(context)
  const unheld = await reportHolds(context, live)
  for (const { account, invoice, cancelled } of await collectLeft(context, live))
    context.log({ level: 'warn', event: 'collected_again', account, invoice, cancelled })
  const access = await reconcileAccess(context, live)
  if (!access.ok) return access
  const { toGrant, taken, hooks, offers } = access.value
  const result: Reconciliation = {
    at: context.clock(),
    missing: toGrant.length,
    taken,
    hooksCreated: hooks.created,
    holds: unheld.length,
  }
  await context.store.put(reconciledKey, { ...result })
  tell(context, result)
  const accounts = [live.target, ...live.sources.values()]
  const subscriptions = accounts.reduce((sum, account) => sum + account.subscriptions.length, 0)
  const compared = { subscriptions, offers, hooks: hooks.created + hooks.kept }
  return success({ ...result, compared, toGrant, unheld })
}

/** Webhooks report a removed hold, unless they are not set up. */
async function reportHolds(context: ReconcileContext, live: Live): Promise<readonly SubscriberKey[]> {
  // Another project's hold is for that project to restore.
  const gone = sidesOf(live, [], context.catalog.project.name).filter(({ old, alive, movedBy }) => {
    if (movedBy !== undefined) return false
    const observation = observeOld(old)
    return alive.length > 0 && (observation === 'free' || observation === 'hold_removed')
  })
  for (const { key } of gone) {
    const receivedAt = context.clock()
    const found = { source: 'source_account', event: 'hold_removed', subscriber: key, receivedAt } as const
    await acceptSignal(context, { ...found, message: digest([key, receivedAt]) })
  }
  return gone.map(({ key }) => key)
}

interface AccessReconciled extends Pick<Reconciled, 'taken' | 'toGrant'> {
  readonly hooks: HooksKept
  readonly offers: number
}

type HooksKept = Pick<HooksEnsured, 'created' | 'kept'>

const noHooks: HooksKept = { created: 0, kept: 0 }

async function reconcileAccess(context: ReconcileContext, live: Live): Promise<Outcome<AccessReconciled>> {
  const { kajabi, access, inbox } = context
  if (kajabi === undefined || access.incomplete === true)
    return success({ toGrant: [], taken: 0, hooks: noHooks, offers: 0 })
  const hooks = await keepHooks(context, kajabi)
  if (!hooks.ok) return hooks
  const port = { kajabi, grants: inbox, offers: access }
  const seen = await readAccess(port, context.catalog, live)
  if (!seen.ok) return seen
  const { changes, unchanged } = seen.value
  const restored = await restore(context, port, seen.value)
  if (!restored.ok) return restored
  await rememberAccess(inbox, seen.value)
  const granted = await inbox.grants()
  const contacts = new Set(changes.flatMap((one) => (one.action === 'revoke' ? [one.expect.contact] : [])))
  const customers = new Set(granted.filter(({ contact }) => contacts.has(contact)).map(({ customer }) => customer))
  let taken = 0
  for (const customer of customers) {
    const followed = await followAccess(context, { customer })
    if (!followed.ok) return followed
    taken += followed.value
  }
  const toGrant = changes.filter(({ action }) => action !== 'revoke').map(({ address }) => address)
  return success({ toGrant, taken, hooks: hooks.value, offers: unchanged + changes.length })
}

/**
 * The store is a cache: grants of another checkout, or of a lost store, are restored before a
 * member's subscription ends. What a new store cannot know is reported once, by its first
 * reconciliation.
 */
async function restore(context: ReconcileContext, port: AccessPort, seen: AccessSurvey): Promise<Outcome<true>> {
  const restored = await restoreGrants(port, seen, context.clock())
  if (!restored.ok) return restored
  if (restored.value > 0) context.log({ level: 'info', event: 'grants_restored', grants: restored.value })
  if ((await lastReconciliation(context)) !== undefined) return success(true)
  const undecided = await undecidedOffers(port, seen)
  if (!undecided.ok) return undecided
  const { length } = undecided.value
  if (length > 0)
    context.alert({
      key: 'access_undecided',
      severity: 'warning',
      summary: `${length} ${length === 1 ? 'offer is' : 'offers are'} still active for members whose subscriptions have ended, and this store does not know who granted them: ${undecided.value.slice(0, 5).join(', ')}${length > 5 ? ' …' : ''}. Nothing was revoked. Look at these members in Kajabi first: "crossbill state rebuild" counts the offers as granted by Crossbill, and the service then revokes them`,
      fix: 'crossbill state rebuild; crossbill plan',
    })
  return success(true)
}

/**
 * Creates missing hooks. Some Kajabi plans sell keys without the permission for webhooks; the rest
 * of the reconciliation still runs.
 */
async function keepHooks(context: ReconcileContext, kajabi: KajabiSite): Promise<Outcome<HooksKept>> {
  if (context.hooks === undefined) return success(noHooks)
  const hooks = await ensureHooks(kajabi, context.access, context.hooks)
  if (hooks.ok || hooks.failure.status !== 403) return hooks
  context.alert({
    key: 'hooks_not_allowed',
    severity: 'warning',
    summary: 'the Kajabi key has no permission for webhooks: polling still finds cancels by tag, within a minute',
    fix: 'crossbill doctor',
  })
  return success(noHooks)
}

/** The last reconciliation that succeeded. */
export async function lastReconciliation(context: Pick<InboxContext, 'store'>): Promise<Reconciliation | undefined> {
  const value = await context.store.get(reconciledKey)
  if (!isJsonObject(value) || typeof value['at'] !== 'number') return undefined
  const number = (name: string): number => (typeof value[name] === 'number' ? value[name] : 0)
  return {
    at: instant(value['at']),
    missing: number('missing'),
    taken: number('taken'),
    hooksCreated: number('hooksCreated'),
    holds: number('holds'),
  }
}

function tell(context: InboxContext, { missing, taken, hooksCreated, holds }: Reconciliation): void {
  context.log({ level: 'info', event: 'reconciled', missing, taken, hooks_created: hooksCreated, holds })
  const differ = { key: 'reconciliation', severity: 'warning', fix: 'crossbill plan; crossbill apply' } as const
  if (missing === 0) context.alert({ ...differ, summary: 'every paying member has their offers', resolved: true })
  else context.alert({ ...differ, summary: `${missing} offers that members pay for are missing in Kajabi` })
  const late = { key: 'reconciliation_taken', severity: 'warning', fix: 'crossbill doctor' } as const
  if (taken === 0)
    context.alert({ ...late, summary: 'no member held an offer that they no longer pay for', resolved: true })
  else
    context.alert({
      ...late,
      summary: `${taken} offers of members who no longer pay were still active and have been revoked: no Stripe webhook reported that their subscriptions had ended`,
    })
  // A missing hook means that cancels may have been missed since the last check.
  if (hooksCreated > 0)
    context.alert({
      key: 'hook_missing',
      severity: 'critical',
      summary: `${hooksCreated} Kajabi hooks were missing and have been created again: they did not report tags added in the meantime`,
      fix: 'find the contacts with a cancel tag in Kajabi, and cancel them with "crossbill cancel"',
    })
}
