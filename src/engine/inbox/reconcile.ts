import type { Catalog } from '../../catalog/types.ts'
import type { SubscriberKey } from '../../core/address.ts'
import { digest } from '../../core/canonical.ts'
import { isJsonObject } from '../../core/json.ts'
import { instant, type Instant } from '../../core/instant.ts'
import { success, type Outcome } from '../../core/outcome.ts'
import { rememberAccess } from '../access/remember.ts'
import { readAccess } from '../access/survey.ts'
import { sightOld } from '../../live/sights.ts'
import type { Live } from '../../live/accounts.ts'
import type { KajabiSite } from '../kajabi-port.ts'
import { withLease } from '../lease.ts'
import type { Progress } from '../ports.ts'
import { refresh } from '../read/refresh.ts'
import { sidesOf } from '../check/sides.ts'
import { acceptSignal } from './accept.ts'
import type { InboxContext } from './context.ts'
import { followAccess } from './follow-access.ts'
import { ensureHooks, type HookAddress, type HooksEnsured } from './hooks.ts'

export interface Reconciliation {
  readonly at: Instant
  /** Offers somebody pays for and does not hold. */
  readonly missing: number
  /** Offers that Crossbill had granted and nobody paid for any more: they have been taken away. */
  readonly taken: number
  readonly hooksCreated: number
  /**
   * Old subscriptions that would collect although their successor lives: their hold is being put
   * back.
   */
  readonly holds: number
}

/** One reconciliation in full: what was looked at, and who is behind the numbers, by ids. */
export interface Reconciled extends Reconciliation {
  readonly compared: {
    /** Subscriptions of all accounts. */
    readonly subscriptions: number
    /** Offers that somebody pays for, or holds from Crossbill. */
    readonly offers: number
    /** Hooks that should be there; 0 where nobody could look. */
    readonly hooks: number
  }
  /** Addresses of the grants that are missing, as a plan names them. */
  readonly toGrant: readonly string[]
  /** Subscribers whose hold is gone. */
  readonly unheld: readonly SubscriberKey[]
}

export interface ReconcileContext extends InboxContext {
  readonly catalog: Catalog
  readonly progress: Progress
  /** Where Kajabi's hooks should point; undefined when the project does not say. */
  readonly hooks: HookAddress | undefined
}

const reconciledKey = 'reconciliation'

/**
 * One reconciliation at a time on one store: two that look for hooks at once would both make them.
 */
export const reconcileLease = 'reconcile'

/**
 * Compares offers with live subscriptions, both ways, hooks with what they should be, and looks
 * whether every hold is there. What ended and still has access loses it, a hold that is gone is put
 * back; what is missing is told, since giving access is an apply's work. Once a day and on demand.
 * @throws CommandError `apply_running` when another one is at work and stays so; `lease_lost`
 */
export async function reconcile(context: ReconcileContext): Promise<Outcome<Reconciled>> {
  return withLease(context, reconcileLease, async (_held, bound) => compare(bound))
}

async function compare(context: ReconcileContext): Promise<Outcome<Reconciled>> {
  const live = await refresh(context)
  const unheld = await reportHolds(context, live)
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

/** Webhooks tell of a hold that was taken off, unless nobody sends them. */
async function reportHolds(context: ReconcileContext, live: Live): Promise<readonly SubscriberKey[]> {
  const gone = sidesOf(live, []).filter(({ old, alive }) => {
    const sight = sightOld(old)
    return alive.length > 0 && (sight === 'free' || sight === 'hold_removed')
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
  if (kajabi === undefined) return success({ toGrant: [], taken: 0, hooks: noHooks, offers: 0 })
  const hooks = await keepHooks(context, kajabi)
  if (!hooks.ok) return hooks
  const seen = await readAccess({ kajabi, grants: inbox, offers: access }, context.catalog, live)
  if (!seen.ok) return seen
  const { changes, unchanged } = seen.value
  await rememberAccess(inbox, seen.value)
  const granted = await inbox.grants()
  const revokes = changes.filter(({ action }) => action === 'revoke')
  const contacts = new Set(revokes.map(({ expect }) => expect?.['contact']))
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
 * Makes what hooks are missing. A key without the permission for webhooks, which some plans do not
 * sell, keeps the rest of the reconciliation from nobody.
 */
async function keepHooks(context: ReconcileContext, kajabi: KajabiSite): Promise<Outcome<HooksKept>> {
  if (context.hooks === undefined) return success(noHooks)
  const hooks = await ensureHooks(kajabi, context.access, context.hooks)
  if (hooks.ok || hooks.failure.status !== 403) return hooks
  context.alert({
    key: 'hooks_not_allowed',
    severity: 'warning',
    summary: 'the key of Kajabi may not see hooks: cancels by tag are found by looking, within a minute',
    fix: 'crossbill doctor',
  })
  return success(noHooks)
}

/** The last one that went through. */
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
  if (missing === 0) context.alert({ ...differ, summary: 'everybody who pays has their offers', resolved: true })
  else context.alert({ ...differ, summary: `${missing} offers that are paid for are missing in Kajabi` })
  const late = { key: 'reconciliation_taken', severity: 'warning', fix: 'crossbill doctor' } as const
  if (taken === 0) context.alert({ ...late, summary: 'nobody held what they no longer pay for', resolved: true })
  else
    context.alert({
      ...late,
      summary: `${taken} offers of people who no longer pay were still there and have been taken: no webhook of Stripe said that they had ended`,
    })
  // A hook that was gone means that cancels may have gone unheard since the last look.
  if (hooksCreated > 0)
    context.alert({
      key: 'hook_missing',
      severity: 'critical',
      summary: `${hooksCreated} of Kajabi's hooks were missing and have been made again: a tag added meanwhile was not heard`,
      fix: 'look in Kajabi who has a cancel tag, and cancel them with "crossbill cancel"',
    })
}
