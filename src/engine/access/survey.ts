import { digest } from '../../core/canonical.ts'
import { CommandError } from '../../core/outcome.ts'
import type { Live } from '../../plan/live.ts'
import type { Change } from '../../plan/types.ts'
import type { Context } from '../context.ts'
import { accessChanges, readHolders } from './changes.ts'
import { claimsOf, type PersonalClaim } from './claims.ts'

/** What was read of access, and what follows from it. */
export interface AccessSurvey {
  readonly changes: readonly Change[]
  readonly unchanged: number
  /** By address: what was seen of the offer, for the plan's basis. */
  readonly touched: ReadonlyMap<string, string>
  /** By subscriber, in memory only. */
  readonly claims: ReadonlyMap<string, PersonalClaim>
}

/**
 * Reads who holds which offer and compares it with who pays. Undefined for a project without access.
 * @throws CommandError `access_unreadable`: a plan that left access out in silence would look like one with nothing to do
 */
export async function surveyAccess(
  { access, catalog }: Pick<Context, 'access' | 'catalog'>,
  live: Live,
): Promise<AccessSurvey | undefined> {
  if (access === undefined) return undefined
  const holders = await readHolders(access.kajabi, access.offers)
  if (!holders.ok)
    throw new CommandError('access_unreadable', `Kajabi does not say who has access: ${holders.failure.message}`, {
      notDone: 'nothing was sent',
      fix: 'try again; `crossbill doctor` checks the credentials',
    })
  const claims = claimsOf(catalog, live)
  const { changes, unchanged } = accessChanges(access.offers, claims, holders.value, await access.grants.grants())
  const touched = new Map(changes.map(({ address, action, expect }) => [address, digest([action, expect])]))
  return { changes, unchanged, touched, claims: new Map(claims.map((claim) => [claim.subscriber, claim])) }
}
