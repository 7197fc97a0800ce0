import type { Kysely, Selectable } from 'kysely'
import { instant } from '../core/instant.ts'
import type { Grant, GrantStore } from '../engine/grants.ts'
import type { Tables } from './tables.ts'

/** Within the parameter limit of one statement in both databases. */
const rowsAtOnce = 200

/**
 * What Crossbill granted in Kajabi, one row per contact and offer, and what members hold without a
 * grant of Crossbill.
 */
export function openGrants(database: Kysely<Tables>): GrantStore {
  return {
    async grants({ contact, customer, subscriber } = {}) {
      let query = database.selectFrom('grants').selectAll('grants')
      if (contact !== undefined) query = query.where('grants.contact', '=', contact)
      if (customer !== undefined) query = query.where('grants.customer', '=', customer)
      if (subscriber !== undefined)
        query = query
          .innerJoin('grant_subscribers', (join) =>
            join
              .onRef('grant_subscribers.contact', '=', 'grants.contact')
              .onRef('grant_subscribers.offer', '=', 'grants.offer'),
          )
          .where('grant_subscribers.subscriber', '=', subscriber)
      return (await query.orderBy('grants.contact').orderBy('grants.offer').execute()).map(grant)
    },
    putGrants: (grants) =>
      database.transaction().execute(async (transaction) => {
        for (const { contact, offer, customer, subscribers, prices, grantedAt, protectedUntil } of grants) {
          const row = {
            customer,
            subscribers: JSON.stringify(subscribers),
            prices: JSON.stringify(prices),
            granted_at: grantedAt,
            protected_until: protectedUntil,
          }
          await transaction
            .insertInto('grants')
            .values({ contact, offer, ...row })
            .onConflict((conflict) => conflict.columns(['contact', 'offer']).doUpdateSet(row))
            .execute()
        }
      }),
    async holdings(filter = {}) {
      let query = database.selectFrom('holdings').selectAll()
      if (filter.contact !== undefined) query = query.where('contact', '=', filter.contact)
      if (filter.customer !== undefined) query = query.where('customer', '=', filter.customer)
      const rows = await query.orderBy('contact').orderBy('offer').execute()
      return rows.map((row) => ({ ...row, subscribers: JSON.parse(row.subscribers) as readonly string[] }))
    },
    setHoldings: (holdings) =>
      database.transaction().execute(async (transaction) => {
        await transaction.deleteFrom('holdings').execute()
        for (let at = 0; at < holdings.length; at += rowsAtOnce) {
          const rows = holdings.slice(at, at + rowsAtOnce).map(({ contact, offer, customer, subscribers }) => {
            return { contact, offer, customer, subscribers: JSON.stringify(subscribers) }
          })
          await transaction.insertInto('holdings').values(rows).execute()
        }
      }),
    removeGrants: (grants) =>
      database.transaction().execute(async (transaction) => {
        for (const { contact, offer } of grants)
          await transaction.deleteFrom('grants').where('contact', '=', contact).where('offer', '=', offer).execute()
      }),
  }
}

function grant(row: Selectable<Tables['grants']>): Grant {
  return {
    contact: row.contact,
    offer: row.offer,
    customer: row.customer,
    subscribers: JSON.parse(row.subscribers) as readonly string[],
    prices: JSON.parse(row.prices) as readonly string[],
    grantedAt: instant(row.granted_at),
    protectedUntil: instant(row.protected_until),
  }
}
