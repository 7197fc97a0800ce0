import { instant, secondsPerDay } from '../../core/instant.ts'
import { CommandError } from '../../core/outcome.ts'
import type { Live } from '../../live/accounts.ts'
import type { Context } from '../context.ts'
import type { Grant } from '../grants.ts'
import { givenByUrls } from './by-urls.ts'
import { protectedDays } from './carry-out.ts'
import { claimsOf, firstStart } from './claims.ts'

/**
 * Restores Crossbill's grants from the mark in Kajabi: the Stripe customer on a contact that holds
 * the offer. Offers given by hand carry no mark and do not count. Read-only for Kajabi. As after
 * any grant, a missing offer is repaired for a while and is not read as a cancel request. The date
 * of a grant is the store's, or else the start of its first subscription.
 * @returns how many grants the store holds now
 * @throws CommandError `access_unreadable`
 */
export async function rebuildGrants({ access, accounts, catalog }: Context, live: Live): Promise<number> {
  if (access === undefined) return 0
  const claims = Map.groupBy(claimsOf(catalog, live), ({ customer }) => customer)
  const now = accounts.target.now()
  const protectedUntil = instant(now + protectedDays * secondsPerDay)
  const before = await access.grants.grants()
  const grants: Grant[] = []
  for (const [offer, { kajabi: id, prices }] of Object.entries(access.offers.offers)) {
    // Holders of an offer given by URL cannot be read; a second grant is harmless.
    if (givenByUrls(access.offers, offer)) continue
    const noted = await access.kajabi.noted(id)
    if (!noted.ok)
      throw new CommandError(
        'access_unreadable',
        `Kajabi cannot be read: ${noted.failure.message} (${noted.failure.code})`,
        {
          notDone: 'no grants were restored; the rest of the store is rebuilt',
          fix: 'run crossbill state rebuild when Kajabi answers',
        },
      )
    for (const [contact, customer] of noted.value) {
      const mine = (claims.get(customer) ?? []).filter((claim) => claim.prices.some((price) => prices.includes(price)))
      if (mine.length === 0) continue
      // A held subscriber has two claims: by the old subscription and by the new one.
      const subscribers = [...new Set(mine.map(({ subscriber }) => subscriber))].toSorted()
      const giving = mine.flatMap((claim) => claim.prices.filter((price) => prices.includes(price)))
      const known = before.find((one) => one.contact === contact && one.offer === offer)
      const isSame = known?.subscribers.some((one) => subscribers.includes(one)) === true
      const grantedAt = isSame ? known.grantedAt : firstStart(mine)
      const paid = [...new Set(giving)].toSorted()
      grants.push({ contact, offer, customer, subscribers, prices: paid, grantedAt, protectedUntil })
    }
  }
  await access.grants.putGrants(grants)
  return grants.length
}
