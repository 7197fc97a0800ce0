import { digest } from '../../core/canonical.ts'
import { acceptSignal } from './accept.ts'
import type { InboxContext } from './context.ts'
import { tellRefused } from './credentials.ts'

/**
 * Contacts seen with a cancel tag, by contact and tag: `once`, or `told` when a signal was made. An
 * entry is dropped when the tag is gone.
 */
export type SeenTags = Map<string, 'once' | 'told'>

const toldKey = 'poller.told_tags'

/**
 * Loads the tags that an earlier process already turned into signals. A tag can stay on a contact
 * while its signal waits for a person or after it was discarded. After a restart it is the same old
 * request, and must not cancel a later subscription of the member.
 */
export async function rememberedTags({ store }: Pick<InboxContext, 'store'>): Promise<SeenTags> {
  const told = await store.get(toldKey)
  return new Map(Array.isArray(told) ? told.map((key) => [String(key), 'told']) : [])
}

/**
 * Reads which contacts carry a cancel tag. Hooks are faster, but Kajabi drops a hook silently, and
 * an event that met a stopped service may never come again; a tag stays until its request is done.
 * Only a tag seen twice in a row makes a signal, because its hook may still be in flight the first
 * time.
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
        const isNew = earlier === undefined || (earlier === 'told' && (await isSetAgain(context, contact, tag)))
        if (isNew) seen.set(key, 'once')
        if (isNew || earlier !== 'once') continue
        if (await isWaitedFor(context, contact, tag)) {
          seen.set(key, 'told')
          continue
        }
        const receivedAt = context.clock()
        const message = digest([contact, tag, receivedAt])
        await acceptSignal(context, { source: 'poller', event: 'tag_added', contact, tag, offer, receivedAt, message })
        // Set only after the signal is stored, so that the next poll retries a failed write.
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
 * A signal of this tag is in progress, so the tag belongs to the same request. A dead letter does
 * not count: it may belong to an earlier request.
 */
async function isWaitedFor({ inbox }: InboxContext, contact: string, tag: string): Promise<boolean> {
  const rows = await inbox.about({ contact }, 50)
  return rows.some(
    ({ signal, now }) => signal.tag === tag && ['received', 'verifying', 'cancelling', 'retry'].includes(now.state),
  )
}

/**
 * The last request of this tag is done, and Crossbill removed the tag before that: it was set again
 * between two looks, or while no process looked.
 */
async function isSetAgain({ inbox }: InboxContext, contact: string, tag: string): Promise<boolean> {
  const rows = (await inbox.about({ contact }, 50)).filter(({ signal }) => signal.tag === tag)
  const [last] = rows.toSorted((a, b) => b.acceptedAt - a.acceptedAt || b.updatedAt - a.updatedAt)
  return last?.now.state === 'done'
}

function toldOf(seen: SeenTags): string[] {
  return [...seen].flatMap(([key, was]) => (was === 'told' ? [key] : [])).toSorted()
}
