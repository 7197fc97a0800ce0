import type { Granted } from '../../access/plan.ts'
import type { Kept } from './changes.ts'
import { instant } from '../../core/instant.ts'
import type { Grant, Holding, GrantStore } from '../grants.ts'
import type { AccessSurvey } from './survey.ts'

type Memory = Pick<GrantStore, 'grants' | 'putGrants' | 'holdings' | 'setHoldings'>

/** Records what a survey of access has shown, so that a poll can check whether it still holds. */
export async function rememberAccess(memory: Memory, seen: AccessSurvey): Promise<void> {
  await rememberSubscribers(memory, seen.kept)
  await rememberHoldings(memory, seen)
}

/**
 * Records which subscribers pay for each grant, and with which prices. A second subscription may
 * have come after the grant, and when the first ends, the offer stays. An offer given by hand is
 * not recorded, because Crossbill may not revoke it.
 */
async function rememberSubscribers(memory: Memory, kept: readonly Kept[]): Promise<void> {
  const byName = new Map(kept.map((one) => [nameOf(one), one]))
  const changed = (await memory.grants()).flatMap((grant) => {
    const now = byName.get(nameOf(grant))
    if (now === undefined) return []
    const { subscribers, prices } = now
    const isSame = subscribers.join() === grant.subscribers.toSorted().join() && prices.join() === grant.prices.join()
    return isSame ? [] : [{ ...grant, subscribers, prices }]
  })
  if (changed.length > 0) await memory.putGrants(changed)
}

/**
 * Records who holds what they pay for without Crossbill's grant: by hand, or from the old checkout,
 * whose integration revokes it when the old subscription ends. The record makes it possible to
 * grant the offer again then. Until then Crossbill may not revoke it.
 */
async function rememberHoldings(memory: Memory, { kept, claims, changes }: AccessSurvey): Promise<void> {
  const ours = new Set((await memory.grants()).map(nameOf))
  const before = await memory.holdings()
  const missing = new Set(changes.flatMap(({ action, expect }) => (action === 'grant' ? namesIn(expect) : [])))
  const held = kept.filter((one) => !ours.has(nameOf(one)))
  const here = new Set(held.map(nameOf))
  // Revoked only now: the poll has not processed it yet.
  const lost = before.filter((one) => {
    const wanted = one.subscribers.some((subscriber) => missing.has(`${one.offer} ${subscriber}`))
    return wanted && !here.has(nameOf(one)) && !ours.has(nameOf(one))
  })
  const rows = [...held, ...lost].toSorted(byName).map(({ contact, offer, subscribers }) => {
    const customer = subscribers.map((one) => claims.get(one)?.customer).find((one) => one !== undefined) ?? ''
    return { contact, offer, customer, subscribers: [...subscribers] }
  })
  if (JSON.stringify(rows) !== JSON.stringify(before)) await memory.setHoldings(rows)
}

/**
 * What a person holds, granted by Crossbill or not. The latter appears as a grant from time zero
 * without protection.
 */
export async function accessOf(
  memory: Pick<GrantStore, 'grants' | 'holdings'>,
  filter: { readonly contact?: string; readonly customer?: string },
): Promise<readonly Grant[]> {
  const [grants, holdings] = await Promise.all([memory.grants(filter), memory.holdings(filter)])
  const ours = new Set(grants.map(nameOf))
  return [...grants, ...holdings.filter((one) => !ours.has(nameOf(one))).map(asGrant)]
}

export function asGrant(holding: Holding): Grant {
  return { prices: [], ...holding, grantedAt: instant(0), protectedUntil: instant(0) }
}

/** As the store lists them. */
function byName(a: Granted, b: Granted): number {
  const [one, other] = [nameOf(a), nameOf(b)]
  return one < other ? -1 : one > other ? 1 : 0
}

function nameOf({ contact, offer }: Granted): string {
  return `${contact} ${offer}`
}

function namesIn(expect: AccessSurvey['changes'][number]['expect']): readonly string[] {
  return expect.subscribers.map((one) => `${expect.offer} ${one}`)
}
