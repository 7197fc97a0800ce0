import type { AccessOffer } from '../../catalog/schemas/access.ts'
import { instant, secondsPerDay, type Instant } from '../../core/instant.ts'
import { failed, success, type Outcome } from '../../core/outcome.ts'
import type { InboxContext } from './context.ts'
import type { Grant } from '../grants.ts'
import { takeAndGiveAgain } from './repair.ts'
import { readStanding } from './standing.ts'

/**
 * The time of the last check of each dark grant, by contact and offer. Each is checked once a day,
 * so that an ineffective repair is not repeated forever.
 */
export type KnownDark = Map<string, Instant>

/** The result of one check. */
export interface ReadBack {
  /** Members who pay and hold the offer, but whose products are switched off. */
  readonly dark: number
  readonly repaired: number
}

/** The most repairs in one check: each takes about two requests, at one a second. */
const repairsMax = 25

/**
 * Checks that the holders of an offer can open its products. Kajabi may list an offer whose
 * products are switched off, as old integrations leave it, and granting it again does not help.
 * Protected grants are repaired; an alert names the others. A product that is open to no member is
 * not published, and is skipped.
 */
export async function readBackProducts(
  context: InboxContext,
  known: KnownDark = new Map(),
): Promise<Outcome<ReadBack>> {
  const { inbox, access } = context
  const all = await inbox.grants()
  let [dark, repaired] = [0, 0]
  for (const [key, offer] of Object.entries(access.offers)) {
    const mine = all.filter((grant) => grant.offer === key)
    if (mine.length === 0 || offer.urls !== undefined) continue
    const found = await darkOf(context, mine, offer)
    if (!found.ok) return found
    const left: Grant[] = []
    for (const grant of found.value) {
      const became = await lookInto(context, { grant, offer, mayRepair: repaired < repairsMax }, known)
      if (became === 'repaired') repaired++
      else if (became === 'left') left.push(grant)
    }
    dark += left.length
    tell(context, key, left)
  }
  return success({ dark, repaired })
}

/** Members who hold the offer and lack one of its products. */
async function darkOf(
  { kajabi }: InboxContext,
  mine: readonly Grant[],
  offer: AccessOffer,
): Promise<Outcome<readonly Grant[]>> {
  if (kajabi === undefined) return failed(noApi)
  const holders = await kajabi.holders(offer.kajabi)
  if (!holders.ok) return holders
  const there = new Set(holders.value.values())
  const holding = mine.filter(({ contact }) => there.has(contact))
  const products = await kajabi.productsOf(offer.kajabi)
  if (!products.ok) return products
  const dark = new Set<Grant>()
  for (const product of products.value) {
    const open = await kajabi.openFor(product)
    if (!open.ok) return open
    if (open.value.length === 0) continue
    const openFor = new Set(open.value)
    holding.filter(({ contact }) => !openFor.has(contact)).forEach((grant) => dark.add(grant))
  }
  return success([...dark])
}

const noApi = {
  kind: 'rejected',
  code: 'no_api',
  message: 'the site has no API, so its members cannot be read',
  status: 0,
} as const

async function lookInto(
  context: InboxContext,
  { grant, offer, mayRepair }: { grant: Grant; offer: AccessOffer; mayRepair: boolean },
  known: KnownDark,
): Promise<'repaired' | 'left' | 'nothing'> {
  const name = `${grant.contact} ${grant.offer}`
  const now = context.clock()
  if ((known.get(name) ?? instant(0)) > now - secondsPerDay) return 'left'
  const standing = await readStanding(context, grant)
  if (!standing.ok || !standing.value.paid) return 'nothing'
  if (standing.value.isProtected && !mayRepair) return 'nothing'
  known.set(name, now)
  return standing.value.isProtected && (await takeAndGiveAgain(context, grant, offer)) ? 'repaired' : 'left'
}

function tell({ alert }: InboxContext, offer: string, dark: readonly Grant[]): void {
  const common = { key: `offer_dark ${offer}`, severity: 'warning' } as const
  const fix = 'in Kajabi, revoke the offer of these members and grant it again'
  if (dark.length === 0)
    return alert({ ...common, summary: `every holder of ${offer} can open its products`, fix, resolved: true })
  const some = dark.slice(0, 5).flatMap(({ subscribers }) => subscribers)
  const who = dark.length === 1 ? '1 member holds' : `${dark.length} members hold`
  alert({ ...common, summary: `${who} ${offer} in Kajabi and cannot open it: ${some.join(', ')}`, fix })
}
