import { sql } from 'kysely'
import { instant } from '../core/instant.ts'
import type { Lease, Store } from '../engine/ports.ts'
import type { StoreEngine } from './engines.ts'

/** One holder per name at a time, for all processes and machines, by the database's clock. */
export function openLeases({
  database,
  nowMilliseconds: now,
}: StoreEngine): Pick<Store, 'acquire' | 'leaseHolder' | 'breakLease'> {
  const later = (seconds: number) => sql<number>`${now} + ${seconds * 1_000}`

  function lease(name: string, holder: string, token: number, seconds: number): Lease {
    const ours = () => database.updateTable('leases').where('name', '=', name).where('token', '=', token)
    return {
      name,
      holder,
      // A lease that expired but was not taken over is still held.
      async renew() {
        const { numUpdatedRows } = await ours()
          .set({ expires_ms: later(seconds) })
          .executeTakeFirst()
        return numUpdatedRows === 1n
      },
      async isOurs() {
        const row = await database
          .selectFrom('leases')
          .select('token')
          .where('name', '=', name)
          .where('token', '=', token)
          .executeTakeFirst()
        return row !== undefined
      },
      // The row stays, so that its token never restarts.
      async release() {
        await ours()
          .set({ expires_ms: 0, token: token + 1 })
          .execute()
      },
    }
  }

  return {
    async acquire(name, holder, seconds) {
      const taken = await database
        .insertInto('leases')
        .values({ name, holder, token: 1, expires_ms: later(seconds) })
        .onConflict((conflict) =>
          conflict
            .column('name')
            .doUpdateSet({ holder, token: sql<number>`leases.token + 1`, expires_ms: later(seconds) })
            .where('leases.expires_ms', '<=', now),
        )
        .returning('token')
        .executeTakeFirst()
      return taken === undefined ? undefined : lease(name, holder, taken.token, seconds)
    },
    async leaseHolder(name) {
      const held = await database
        .selectFrom('leases')
        .select(['holder', 'expires_ms'])
        .where('name', '=', name)
        .where('expires_ms', '>', now)
        .executeTakeFirst()
      return held && { holder: held.holder, expires: instant(Math.floor(held.expires_ms / 1_000)) }
    },
    // A new token: if the old holder still runs, it finds its lease lost at the next renewal.
    async breakLease(name) {
      await database
        .updateTable('leases')
        .set((row) => ({ expires_ms: 0, token: row('token', '+', 1) }))
        .where('name', '=', name)
        .execute()
    },
  }
}
