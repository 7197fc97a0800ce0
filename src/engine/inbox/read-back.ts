import type { AccessOffer } from '../../catalog/schemas/access.ts'
import { instant, secondsPerDay, type Instant } from '../../core/instant.ts'
import { failed, success, type Outcome } from '../../core/outcome.ts'
import type { InboxContext } from './context.ts'
import type { Grant } from '../grants.ts'
import { takeAndGiveAgain } from './repair.ts'
import { readStanding } from './standing.ts'

/**
 * Dark grants that were looked into, by contact and offer, and when: each once a day, so that a
 * repair that does not help is not repeated for ever.
 */
export type KnownDark = Map<string, Instant>

/** What one reading back came to. */
export interface ReadBack {
  /** Members who pay, whose offer is listed, and whose products are switched off. */
  readonly dark: number
  readonly repaired: number
}

/**
 * At most so many are taken and given again in one reading: about two requests each, at one a
 * second.
 */
const repairsMax = 25

/**
 * Reads back whether those who hold an offer can also open what it gives: Kajabi may list an offer
 * whose products were switched off, as old integrations leave it behind, and then giving it again
 * is not enough. Who is protected is repaired; of others somebody is told. A product that is open
 * for nobody is not published, and says nothing.
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

/** Whoever holds the offer and lacks one of its products. */
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

const noApi = { kind: 'rejected', code: 'no_api', message: 'the site has no API to be read by', status: 0 } as const

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
  if (dark.length === 0) return alert({ ...common, summary: `${offer} opens what it should`, fix, resolved: true })
  const some = dark.slice(0, 5).flatMap(({ subscribers }) => subscribers)
  const who = dark.length === 1 ? '1 member holds' : `${dark.length} members hold`
  alert({ ...common, summary: `${who} ${offer} in Kajabi and cannot open it: ${some.join(', ')}`, fix })
}
