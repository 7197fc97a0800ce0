import type Stripe from 'stripe'
import { subscriberAddress, subscriberKey } from '../../core/address.ts'
import { isJsonObject, objectIn } from '../../core/json.ts'
import type { LiveAccount } from '../../live/accounts.ts'
import { markHold, markHolds } from '../../live/marks.ts'
import { readHolds } from '../../live/source.ts'
import { hasHoldMark, isAlive } from '../../live/subscription.ts'
import type { Context } from '../context.ts'
import type { JournalEntry } from '../ports.ts'

type Reader = Pick<Context, 'store'>

/** The requests that set a hold in its first form, and the one that releases it. */
const holding: ReadonlySet<string> = new Set(['hold', 'hold-again'])
const releasing = 'restore-old'

/**
 * The old subscription as its hold marked it, if its marks were removed and the journal shows that
 * this store set its pause. Without a mark, the pause looks like one of the member: it would never
 * be released, and no account would bill.
 *
 * Only the first form of a hold is concluded from the journal. After the proof a successor lives,
 * and its mark says that the hold must be set again.
 */
export async function withOwnHold(
  { store }: Reader,
  key: string,
  old: Stripe.Subscription,
): Promise<Stripe.Subscription> {
  if (!isUnmarkedPause(old)) return old
  const entries = await store.journal({ address: subscriberAddress(key) })
  const last = entries.findLast((entry) => concerns(entry, old))
  const marks = last === undefined || last.step === releasing ? {} : objectIn(last.params['metadata'])
  const { [markHold]: hold, [markHolds]: holds } = marks
  if (typeof hold !== 'string') return old
  const counted: Stripe.Metadata = typeof holds === 'string' ? { [markHolds]: holds } : {}
  // A higher number on the object: the hold of the journal was released since.
  if (readHolds(old).count > readHolds({ metadata: counted }).count) return old
  return { ...old, metadata: { ...counted, ...old.metadata, [markHold]: hold } }
}

/** As above, for every old subscription of the lists. */
export async function withOwnHolds(context: Reader, account: LiveAccount): Promise<LiveAccount> {
  if (!account.subscriptions.some(isUnmarkedPause)) return account
  const subscriptions: Stripe.Subscription[] = []
  for (const one of account.subscriptions)
    subscriptions.push(await withOwnHold(context, subscriberKey(account.name, one.id), one))
  return { ...account, subscriptions }
}

/** Paused as by a hold in its first form, without its mark. */
function isUnmarkedPause(old: Stripe.Subscription): boolean {
  const pause = old.pause_collection
  return isAlive(old) && !hasHoldMark(old) && pause?.behavior === 'keep_as_draft' && pause.resumes_at === null
}

/** A hold that may have been executed, or a release that was. */
function concerns({ step, status, path, params }: JournalEntry, { id }: Stripe.Subscription): boolean {
  if (path !== `/v1/subscriptions/${id}`) return false
  if (step === releasing) return status === 'succeeded'
  const pause = params['pause_collection']
  return holding.has(step) && status !== 'failed' && isJsonObject(pause) && pause['behavior'] === 'keep_as_draft'
}
