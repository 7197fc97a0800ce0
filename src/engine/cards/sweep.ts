import { instant, secondsPerDay, secondsPerHour, type Instant } from '../../core/instant.ts'
import { isJsonObject } from '../../core/json.ts'
import { idOf } from '../../core/reference.ts'
import { success, type Outcome } from '../../core/outcome.ts'
import { markCardFor } from '../../live/entered-card.ts'
import { listed } from '../send/listed.ts'
import type { CardContext } from './context.ts'
import { cardState } from './state.ts'

/** Stripe closes a session after 24 hours at the latest. */
const sessionSeconds = secondsPerDay + secondsPerHour

const openedAt = 'card_page_opened'
/** Completed sessions of the last day that need no further look. */
const sweptSessions = 'card_pages_swept'

/** Remembers that a member is on Stripe's page, so that the service looks for the result. */
export async function noteOpened({ store }: Pick<CardContext, 'store'>, at: Instant): Promise<void> {
  await store.put(openedAt, at)
}

/** Whether a member may be on Stripe's page, or may have left it without returning. */
export async function mayBeEntering({ store, clock }: Pick<CardContext, 'store' | 'clock'>): Promise<boolean> {
  const at = await store.get(openedAt)
  return typeof at === 'number' && clock() - at <= sessionSeconds
}

/**
 * Finishes the card links of members who entered a card on Stripe's page and did not return from
 * it. Reads the completed sessions of the last day, and looks closer at those that it has not
 * finished yet. Returns how many these were.
 */
export async function sweepCards(context: CardContext): Promise<Outcome<number>> {
  const since = instant(context.clock() - sessionSeconds)
  const complete = await listed(
    context.accounts.target,
    '/v1/checkout/sessions',
    { status: 'complete', created: { gte: since } },
    'target_unreadable',
  )
  if (!complete.ok) return complete
  const before = await context.store.get(sweptSessions)
  const swept = new Set(Array.isArray(before) ? before : [])
  const ours = complete.value.flatMap(({ id = '', metadata, customer }) => {
    const subscriber = isJsonObject(metadata) ? metadata[markCardFor] : undefined
    const owner = idOf(customer)
    return typeof subscriber === 'string' && owner !== undefined ? [{ id, owner: { subscriber, customer: owner } }] : []
  })
  const left = ours.filter(({ id }) => !swept.has(id))
  const done = new Set(ours.filter(({ id }) => swept.has(id)).map(({ id }) => id))
  for (const { id, owner } of left) {
    const state = await cardState(context, owner)
    if (!state.ok) return state
    if (state.value.state !== 'entered' || state.value.waits !== true) done.add(id)
  }
  if (left.length > 0) await context.store.put(sweptSessions, [...done])
  return success(left.length)
}
