import { isJsonObject, type StripeObject } from '../core/json.ts'
import { CommandError, failed, type Outcome } from '../core/outcome.ts'
import type { StripeRequest } from '../engine/ports.ts'
import { type ListSource, readList } from './list.ts'

/**
 * A subscription embeds a list of its items, which may be incomplete (`has_more`), but a comparison
 * of subscriptions needs all items. A read that cannot be finished is a failure; the answer of a
 * write is kept as received.
 */
export async function withAllItems(
  source: ListSource,
  request: StripeRequest,
  outcome: Outcome<StripeObject>,
): Promise<Outcome<StripeObject>> {
  if (!outcome.ok || outcome.value['object'] !== 'subscription') return outcome
  const { id = '', items } = outcome.value
  if (!isJsonObject(items) || items['has_more'] !== true) return outcome
  try {
    const data: StripeObject[] = []
    const params = { subscription: id, expand: deeper(request.params?.['expand']) }
    for await (const item of readList(source, '/v1/subscription_items', params)) data.push(item)
    return { ...outcome, value: { ...outcome.value, items: { ...items, data, has_more: false } } }
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    if (request.method !== 'GET') return outcome
    return failed({ kind: 'retryable', code: 'list_incomplete', message: error.message, status: 0 })
  }
}

/** The expansions inside the items, in the form for a list of items. */
function deeper(expand: unknown): string[] {
  const paths = Array.isArray(expand) ? expand.filter((path) => typeof path === 'string') : []
  return paths.filter((path) => path.startsWith('items.data.')).map((path) => path.slice('items.'.length))
}
