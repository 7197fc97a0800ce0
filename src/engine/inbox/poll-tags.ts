import { digest } from '../../core/canonical.ts'
import { acceptSignal } from './accept.ts'
import type { InboxContext } from './context.ts'
import { tellRefused } from './credentials.ts'

/**
 * Contacts seen with a cancel tag, by contact and tag: once, or often enough that a signal was made
 * of it. Forgotten when the tag is gone.
 */
export type SeenTags = Map<string, 'once' | 'told'>

const toldKey = 'poller.told_tags'

/**
 * What the last process to look has made signals of. A tag that stays on a contact (its signal
 * waits for a person, or was discarded) is the same old wish after a restart, and must not cancel
 * what its member subscribed to since.
 */
export async function rememberedTags({ store }: Pick<InboxContext, 'store'>): Promise<SeenTags> {
  const told = await store.get(toldKey)
  return new Map(Array.isArray(told) ? told.map((key) => [String(key), 'told']) : [])
}

/**
 * Looks who carries a cancel tag. Hooks are quicker, but Kajabi gives one up in silence, and one
 * that met a stopped service may never come again; a tag stays until its wish is done. Only a tag
 * seen twice in a row is a signal: the first time its hook may still be at work.
 * @returns how many signals were made; undefined when Kajabi could not be read
 */
export async function pollTags(context: InboxContext, seen: SeenTags): Promise<number | undefined> {
  const { kajabi, access } = context
  if (kajabi === undefined) return 0
  let signals = 0
  const there = new Set<string>()
  for (const [offer, { cancel_tags: tags = [] }] of Object.entries(access.offers))
    for (const tag of tags) {
      const contacts = await kajabi.tagged(tag)
      if (!contacts.ok) {
        context.log({ level: 'warn', event: 'poll_failed', offer, code: contacts.failure.code })
        tellRefused(context, contacts.failure)
        return undefined
      }
      for (const contact of contacts.value) {
        const key = `${contact} ${tag}`
        there.add(key)
        const earlier = seen.get(key)
        if (earlier === undefined) seen.set(key, 'once')
        if (earlier !== 'once') continue
        if (await isWaitedFor(context, contact, tag)) {
          seen.set(key, 'told')
          continue
        }
        const receivedAt = context.clock()
        const message = digest([contact, tag, receivedAt])
        await acceptSignal(context, { source: 'poller', event: 'tag_added', contact, tag, offer, receivedAt, message })
        // Only after it is stored: a write that failed is tried again by the next look.
        seen.set(key, 'told')
        signals++
      }
    }
  for (const key of seen.keys()) if (!there.has(key)) seen.delete(key)
  const told = toldOf(seen)
  const stored = await context.store.get(toldKey)
  if (told.join() !== (Array.isArray(stored) ? stored.join() : '')) await context.store.put(toldKey, told)
  return signals
}

/**
 * A signal of this tag is on its way: the tag that stays meanwhile is the same wish. A dead letter
 * is no reason, because it may be of an earlier wish.
 */
async function isWaitedFor({ inbox }: InboxContext, contact: string, tag: string): Promise<boolean> {
  const rows = await inbox.about({ contact }, 50)
  return rows.some(
    ({ signal, now }) => signal.tag === tag && ['received', 'verifying', 'cancelling', 'retry'].includes(now.state),
  )
}

function toldOf(seen: SeenTags): string[] {
  return [...seen].flatMap(([key, was]) => (was === 'told' ? [key] : [])).toSorted()
}
