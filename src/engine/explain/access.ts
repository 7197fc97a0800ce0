import { accessIn } from '../../catalog/access-read.ts'
import { formatInstant } from '../../core/instant.ts'
import type { AccessPort } from '../access-port.ts'
import { claimsOf } from '../access/claims.ts'
import type { GrantStore, Grant } from '../grants.ts'
import type { ExplainedAccess } from './document.ts'
import type { Person } from './find-person.ts'
import type { PersonSurvey } from './survey-person.ts'

/** Which offers the person pays for, got from Crossbill, and holds in Kajabi now. */
export async function accessOf(
  { seen, context }: PersonSurvey,
  person: Person,
  port: AccessPort | undefined,
  store: GrantStore,
): Promise<ExplainedAccess> {
  const { offers } = accessIn(context.catalog)
  const claims = claimsOf(context.catalog, seen.live)
  const grants = await grantsOf(
    person,
    claims.map(({ subscriber }) => subscriber),
    store,
  )
  const there = await heldBy(person, port)
  const contacts = [...new Set([...there.contacts, ...grants.map(({ contact }) => contact)])]
  const rows = Object.entries(offers).flatMap(([offer, { prices, kajabi, urls }]) => {
    const paying = claims.filter((one) => one.live && one.prices.some((price) => prices.includes(price)))
    const granted = grants.find((one) => one.offer === offer)
    const held = there.read && urls === undefined ? there.offers.has(kajabi) : null
    if (paying.length === 0 && granted === undefined && held !== true) return []
    const at = granted === undefined ? null : formatInstant(granted.grantedAt)
    return [{ offer, paid_by: paying.map(({ subscriber }) => subscriber), granted: at, held }]
  })
  return { read: there.read, note: there.note, contacts, offers: rows }
}

async function grantsOf(
  { customers }: Person,
  subscribers: readonly string[],
  store: GrantStore,
): Promise<readonly Grant[]> {
  const ids = [...new Set([...customers.values()].flat())]
  const found = [
    ...(await Promise.all(ids.map(async (customer) => store.grants({ customer })))),
    ...(await Promise.all(subscribers.map(async (subscriber) => store.grants({ subscriber })))),
  ]
  return [...new Map(found.flat().map((one) => [`${one.contact} ${one.offer}`, one])).values()]
}

interface Held {
  readonly read: boolean
  readonly note: string
  readonly contacts: readonly string[]
  /** Kajabi's ids. */
  readonly offers: ReadonlySet<string>
}

async function heldBy({ addresses }: Person, port: AccessPort | undefined): Promise<Held> {
  const nothing = { read: false, contacts: [], offers: new Set<string>() }
  if (port === undefined) return { ...nothing, note: 'This project has no Kajabi site, or it could not be reached.' }
  const contacts: string[] = []
  const offers = new Set<string>()
  for (const address of new Set(addresses.map((one) => one.toLowerCase()))) {
    const contact = await port.kajabi.findContact(address)
    if (!contact.ok) return { ...nothing, note: `Kajabi could not be read: ${contact.failure.message}` }
    if (contact.value === undefined) continue
    contacts.push(contact.value)
    const held = await port.kajabi.offersOf(contact.value)
    if (!held.ok && held.failure.code !== 'not_found')
      return { ...nothing, note: `Kajabi could not be read: ${held.failure.message}` }
    for (const one of held.ok ? held.value : []) offers.add(one)
  }
  const note = contacts.length === 0 ? 'Kajabi has no contact with this person’s address.' : ''
  return { read: true, note, contacts, offers }
}
