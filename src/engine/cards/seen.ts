import { isJsonObject, objectIn } from '../../core/json.ts'
import type { CardLink } from '../../live/entered-card.ts'
import type { Store } from '../ports.ts'

/** How many card links this store knows, by state. */
export type CardCounts = Readonly<Partial<Record<CardLink['state'], number>>>

const name = 'card_links'

/**
 * Notes the state of a card link for the status page. The marks on the customers decide; a note
 * that two processes wrote at the same moment may be missing here until the link is used again.
 */
export async function noteCardLink(store: Store, subscriber: string, state: CardLink['state']): Promise<void> {
  const before = await store.get(name)
  const known = objectIn(before)
  if (known[subscriber] !== state) await store.put(name, { ...known, [subscriber]: state })
}

/** Undefined before the first card link. */
export async function cardCounts(store: Store): Promise<CardCounts | undefined> {
  const known = await store.get(name)
  if (!isJsonObject(known)) return undefined
  const counts = { asked: 0, opened: 0, entered: 0 }
  for (const state of Object.values(known))
    if (state === 'asked' || state === 'opened' || state === 'entered') counts[state] += 1
  return counts
}
