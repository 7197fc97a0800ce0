import type { Catalog } from '../../catalog/types.ts'
import { digest } from '../../core/canonical.ts'
import { isJsonObject } from '../../core/json.ts'
import { instant, type Instant } from '../../core/instant.ts'
import { success, type Outcome } from '../../core/outcome.ts'
import { rememberAccess } from '../access/remember.ts'
import { readAccess } from '../access/survey.ts'
import { sightOld } from '../../handover/sights.ts'
import type { Live } from '../../plan/live.ts'
import type { KajabiSite } from '../kajabi-port.ts'
import type { Progress } from '../ports.ts'
import { refresh } from '../read/refresh.ts'
import { sidesOf } from '../verify/sides.ts'
import { acceptSignal } from './accept.ts'
import type { InboxContext } from './context.ts'
import { followAccess } from './follow-access.ts'
import { ensureHooks, type HookAddress } from './hooks.ts'

export interface Reconciliation {
  readonly at: Instant
  /** Offers somebody pays for and does not hold. */
  readonly missing: number
  /** Offers that Crossbill had granted and nobody paid for any more: they have been taken away. */
  readonly taken: number
  readonly hooksCreated: number
  /** Old subscriptions that would collect although their successor lives: their hold is being put back. */
  readonly holds: number
}

export interface ReconcileContext extends InboxContext {
  readonly catalog: Catalog
  readonly progress: Progress
  /** Where Kajabi's hooks should point; undefined when the project does not say. */
  readonly hooks: HookAddress | undefined
}

const reconciledKey = 'reconciliation'

/**
 * Compares offers with live subscriptions, both ways, hooks with what they should be, and looks whether every hold is there. What ended and still has access loses
 * it, a hold that is gone is put back; what is missing is told, since giving access is an apply's work. Once a day and on demand.
 */
export async function reconcile(context: ReconcileContext): Promise<Outcome<Reconciliation>> {
  const live = await refresh(context)
  const holds = await reportHolds(context, live)
  const access = await reconcileAccess(context, live)
  if (!access.ok) return access
  const result: Reconciliation = { at: context.clock(), ...access.value, holds }
  await context.store.put(reconciledKey, { ...result })
  tell(context, result)
  return success(result)
}

/** Webhooks tell of a hold that was taken off, unless nobody sends them. */
async function reportHolds(context: ReconcileContext, live: Live): Promise<number> {
  const gone = sidesOf(live, []).filter(({ old, alive }) => {
    const sight = sightOld(old)
    return alive.length > 0 && (sight === 'free' || sight === 'hold_removed')
  })
  for (const { key } of gone) {
    const receivedAt = context.clock()
    const found = { source: 'source_account', event: 'hold_removed', subscriber: key, receivedAt } as const
    await acceptSignal(context, { ...found, message: digest([key, receivedAt]) })
  }
  return gone.length
}

type AccessReconciled = Pick<Reconciliation, 'missing' | 'taken' | 'hooksCreated'>

async function reconcileAccess(context: ReconcileContext, live: Live): Promise<Outcome<AccessReconciled>> {
  const { kajabi, access, inbox } = context
  if (kajabi === undefined) return success({ missing: 0, taken: 0, hooksCreated: 0 })
  const hooks = await keepHooks(context, kajabi)
  if (!hooks.ok) return hooks
  const seen = await readAccess({ kajabi, grants: inbox, offers: access }, context.catalog, live)
  if (!seen.ok) return seen
  const { changes } = seen.value
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
  return success({ missing: changes.length - revokes.length, taken, hooksCreated: hooks.value })
}

/** How many hooks had to be made. A key without the permission for webhooks, which some plans do not sell, keeps the rest of the reconciliation from nobody. */
async function keepHooks(context: ReconcileContext, kajabi: KajabiSite): Promise<Outcome<number>> {
  if (context.hooks === undefined) return success(0)
  const hooks = await ensureHooks(kajabi, context.access, context.hooks)
  if (hooks.ok) return success(hooks.value.created)
  if (hooks.failure.status !== 403) return hooks
  context.alert({
    key: 'hooks_not_allowed',
    severity: 'warning',
    summary: 'the key of Kajabi may not see hooks: cancels by tag are found by looking, within a minute',
    fix: 'crossbill doctor',
  })
  return success(0)
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
