import { addAll } from '../core/lists.ts'
import type { InboxStore } from '../engine/inbox/port.ts'
import type { InGroup } from './group-commit.ts'

/** States in which nothing is left to do. A dead letter waits for a person and is never removed. */
const finished = ['done', 'ignored'] as const

/**
 * Removes finished rows with their notes, keys and requests. One small transaction a call, so that
 * an arriving signal never waits for a long one.
 */
export function openArchive(inGroup: InGroup): Pick<InboxStore, 'archive'> {
  return {
    archive: (before, limit) =>
      inGroup(async (transaction) => {
        const ids: string[] = []
        for (const state of finished) {
          const rows = await transaction
            .selectFrom('inbox')
            .select('id')
            .where('state', '=', state)
            .where('updated_at', '<', before)
            .orderBy('updated_at')
            .limit(limit - ids.length)
            .execute()
          addAll(
            ids,
            rows.map(({ id }) => id),
          )
        }
        if (ids.length === 0) return 0
        await transaction.deleteFrom('inbox_notes').where('inbox', 'in', ids).execute()
        await transaction.deleteFrom('inbox_keys').where('inbox', 'in', ids).execute()
        const addresses = ids.map((id) => `inbox.${id}`)
        await transaction.deleteFrom('journal').where('address', 'in', addresses).execute()
        await transaction.deleteFrom('inbox').where('id', 'in', ids).execute()
        return ids.length
      }),
  }
}
