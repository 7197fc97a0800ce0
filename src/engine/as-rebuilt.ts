import { recordOf } from './apply/prove-done.ts'
import type { Context } from './context.ts'
import { recordsOf } from './read/records.ts'
import { survey, type Survey } from './plan/survey.ts'
import { isUnfinished } from './handover/hand-over.ts'
import type { CopyMapRow, SubscriberRecord } from './ports.ts'

/**
 * The context with a store that answers as a rebuilt store would: objects, subscribers and copies
 * as the accounts show them, regardless of this store's contents. Reads the accounts unless given.
 * Writes nothing.
 */
export async function asRebuilt(context: Context, given?: Survey): Promise<Context> {
  const seen = given ?? (await survey(context))
  const { store, accounts } = context
  const now = accounts.target.now()
  const objects = recordsOf(seen.resources, seen.known, accounts.target.name)
  const there = new Set(objects.map(({ address }) => address))
  const records = new Map((await store.subscribers()).map((record) => [record.key, record]))
  for (const one of seen.classified) {
    const record = records.get(one.key)
    // Only this store knows the step of a hand-over that it began. At rest, the accounts know
    // better: another checkout may have moved or reverted the subscriber since.
    if (record !== undefined && isUnfinished(record)) continue
    const derived = recordOf(one, now)
    if (derived === undefined) records.delete(one.key)
    else if (record?.phase !== derived.phase || successorIn(record) !== successorIn(derived))
      records.set(one.key, derived)
  }
  return {
    ...context,
    store: {
      ...store,
      objects: async () => [...objects, ...seen.known.filter(({ address }) => !there.has(address))],
      subscribers: async () => [...records.values()],
      async *copyMap(source) {
        const said = new Set<string>()
        for await (const row of store.copyMap(source)) {
          said.add(`${row.source} ${row.sourceOld}`).add(`${row.source} ${row.customerOld}`)
          yield row
        }
        for (const row of markedRows(seen.input.copyMaps))
          if (
            (source === undefined || row.source === source) &&
            !said.has(`${row.source} ${row.sourceOld || row.customerOld}`)
          )
            yield { ...row, importedAt: now }
      },
    },
  }
}

function successorIn({ facts }: SubscriberRecord): unknown {
  return facts['successor']
}

function* markedRows(
  maps: Awaited<ReturnType<typeof survey>>['input']['copyMaps'],
): Iterable<Omit<CopyMapRow, 'importedAt'>> {
  for (const [source, { customers, payments }] of maps) {
    const olds = new Map([...customers].map(([old, copy]) => [copy, old]))
    for (const [customerOld, customerNew] of customers)
      yield { source, customerOld, customerNew, sourceOld: '', sourceNew: '' }
    for (const [sourceOld, { customer, id }] of payments)
      yield { source, customerOld: olds.get(customer) ?? customer, customerNew: customer, sourceOld, sourceNew: id }
  }
}
