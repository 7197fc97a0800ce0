import { digest } from '../../core/canonical.ts'
import { acceptSignal } from './accept.ts'
import type { InboxContext } from './context.ts'

/** Contacts seen with a cancel tag, by contact and tag: once, or often enough that a signal was made of it. Forgotten when the tag is gone. */
export type SeenTags = Map<string, 'once' | 'told'>

/**
 * Looks who carries a cancel tag. Hooks are quicker, but Kajabi gives one up in silence, and one that met a stopped service may never come again; a tag
 * stays until its wish is done. Only a tag seen twice in a row is a signal: the first time its hook may still be at work.
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
        return undefined
      }
      for (const contact of contacts.value) {
        const key = `${contact} ${tag}`
        there.add(key)
        const before = seen.get(key)
        seen.set(key, before === undefined ? 'once' : 'told')
        if (before !== 'once') continue
        const receivedAt = context.clock()
        const message = digest([contact, tag, receivedAt])
        await acceptSignal(context, { source: 'poller', event: 'tag_added', contact, tag, offer, receivedAt, message })
        signals++
      }
    }
  for (const key of seen.keys()) if (!there.has(key)) seen.delete(key)
  return signals
}
