import type { StripeObject } from '../core/json.ts'
import { CommandError } from '../core/outcome.ts'
import type { Params } from '../engine/ports.ts'

export interface Page {
  readonly data: readonly StripeObject[]
  readonly hasMore: boolean
  /** Parameters of the next page, where Stripe names them (its second API). */
  readonly next?: Params
}

/** Reads one page, with its own retries. */
export type ReadPage = (params: Params) => Promise<Page>

/**
 * The id of the last object. A page with `has_more` but without objects would end the reading too
 * early.
 */
export function cursor(page: Page): string {
  const id = page.data.at(-1)?.id
  if (id === undefined)
    throw new CommandError('list_incomplete', 'Stripe returned an empty page with has_more', {
      notDone: 'an incomplete list is never used',
      fix: 'run the command again',
    })
  return id
}

export function createdAt(object: StripeObject): number {
  const created = object['created']
  return typeof created === 'number' ? created : 0
}
