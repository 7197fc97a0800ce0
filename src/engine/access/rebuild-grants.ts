import { instant, secondsPerDay } from '../../core/instant.ts'
import { CommandError } from '../../core/outcome.ts'
import type { Live } from '../../live/accounts.ts'
import type { Context } from '../context.ts'
import type { Grant } from '../grants.ts'
import { givenByUrls } from './by-urls.ts'
import { protectedDays } from './carry-out.ts'
import { claimsOf } from './claims.ts'

/**
 * Restores what Crossbill granted from the mark it left in Kajabi: the Stripe customer noted on a
 * contact that holds the offer. What was given by hand carries no such note and is not taken for
 * ours. Read-only for Kajabi; for a while a missing offer is repaired rather than read as a wish,
 * as after any grant.
 * @returns how many grants the store holds now
 * @throws CommandError `access_unreadable`
 */
export async function rebuildGrants({ access, accounts, catalog }: Context, live: Live): Promise<number> {
  if (access === undefined) return 0
  const claims = Map.groupBy(claimsOf(catalog, live), ({ customer }) => customer)
  const now = accounts.target.now()
  const protectedUntil = instant(now + protectedDays * secondsPerDay)
  const grants: Grant[] = []
  for (const [offer, { kajabi: id, prices }] of Object.entries(access.offers.offers)) {
    // Nobody can be asked who was given an offer by its URL; giving it again is harmless.
    if (givenByUrls(access.offers, offer)) continue
    const noted = await access.kajabi.noted(id)
    if (!noted.ok)
      throw new CommandError(
        'access_unreadable',
        `Kajabi cannot be read: ${noted.failure.message} (${noted.failure.code})`,
        {
          notDone: 'the store knows of no grants yet; the rest is rebuilt',
          fix: 'crossbill state rebuild, when Kajabi answers',
        },
      )
    for (const [contact, customer] of noted.value) {
      const mine = (claims.get(customer) ?? []).filter((claim) => claim.prices.some((price) => prices.includes(price)))
      if (mine.length === 0) continue
      // Somebody on hold claims twice: by the old subscription and by the new one.
      const subscribers = [...new Set(mine.map(({ subscriber }) => subscriber))].toSorted()
      grants.push({ contact, offer, customer, subscribers, grantedAt: now, protectedUntil })
    }
  }
  await access.grants.putGrants(grants)
  return grants.length
}
