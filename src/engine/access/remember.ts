import type { Granted } from '../../access/plan.ts'
import { instant } from '../../core/instant.ts'
import type { Grant, Holding, GrantStore } from '../grants.ts'
import type { AccessSurvey } from './survey.ts'

type Memory = Pick<GrantStore, 'grants' | 'putGrants' | 'holdings' | 'setHoldings'>

/** Notes what a survey of access has shown, for whoever looks whether it is still so. */
export async function rememberAccess(memory: Memory, seen: AccessSurvey): Promise<void> {
  await rememberSubscribers(memory, seen.kept)
  await rememberHoldings(memory, seen)
}

/**
 * Notes by which subscribers somebody holds what Crossbill gave them: a second subscription may
 * have come after the grant, and when the first ends the offer stays. What was given by hand is not
 * noted: it is not Crossbill's to take.
 */
async function rememberSubscribers(memory: Memory, kept: readonly Granted[]): Promise<void> {
  const byName = new Map(kept.map((one) => [`${one.contact} ${one.offer}`, one.subscribers]))
  const changed = (await memory.grants()).flatMap((grant) => {
    const subscribers = byName.get(`${grant.contact} ${grant.offer}`)
    const same = subscribers === undefined || subscribers.join() === grant.subscribers.toSorted().join()
    return same ? [] : [{ ...grant, subscribers }]
  })
  if (changed.length > 0) await memory.putGrants(changed)
}

/**
 * Notes who holds what they pay for without its being Crossbill's: by hand, or from the old
 * checkout, whose integration takes it away when it hears the old subscription end. It is watched
 * so that it can be given again then; it stays nobody's to take before.
 */
async function rememberHoldings(memory: Memory, { kept, claims, changes }: AccessSurvey): Promise<void> {
  const ours = new Set((await memory.grants()).map(nameOf))
  const before = await memory.holdings()
  const missing = new Set(changes.flatMap(({ action, expect }) => (action === 'grant' ? namesIn(expect) : [])))
  const held = kept.filter((one) => !ours.has(nameOf(one)))
  const here = new Set(held.map(nameOf))
  // Taken away just now: whoever watches has not come to it yet.
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
 * What somebody has, given by Crossbill or not: the latter in the form of a grant of no age that
 * nothing protects.
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
  return { ...holding, grantedAt: instant(0), protectedUntil: instant(0) }
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
  const { offer, subscribers } = expect ?? {}
  return Array.isArray(subscribers) ? subscribers.map((one) => `${String(offer as string)} ${String(one)}`) : []
}
