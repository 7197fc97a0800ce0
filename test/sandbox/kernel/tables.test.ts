import fc from 'fast-check'
import { expect, test } from 'vitest'
import { instant } from '../../../src/core/instant.ts'
import { DueQueue, dueTable } from '../../../src/sandbox/kernel/queue.ts'
import { ChangeLog, Table, type Row } from '../../../src/sandbox/kernel/tables.ts'

interface Pet extends Row {
  readonly owner: string
  readonly tags: readonly string[]
}

const definition = {
  name: 'pets',
  indexes: { owner: (row: Pet) => (row.owner === '' ? undefined : row.owner), tag: (row: Pet) => row.tags },
}

type Step =
  | { readonly do: 'put'; readonly row: Pet }
  | { readonly do: 'delete'; readonly id: string }
  | { readonly do: 'commit' | 'rollback' | 'look' }

const id = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f')
const pet: fc.Arbitrary<Pet> = fc.record({
  id,
  created: fc.integer({ min: 0, max: 4 }),
  owner: fc.constantFrom('', 'x', 'y'),
  tags: fc.uniqueArray(fc.constantFrom('p', 'q', 'r'), { maxLength: 2 }),
})
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('put' as const), row: pet }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), id }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('commit' as const, 'rollback' as const, 'look' as const) }) },
)

/** The same with an array: put keeps the place of a known id and appends a new one. */
class Model {
  rows: Pet[] = []

  apply(change: Step): void {
    if (change.do === 'put') {
      const at = this.rows.findIndex((row) => row.id === change.row.id)
      this.rows = at < 0 ? [...this.rows, change.row] : this.rows.with(at, change.row)
    }
    if (change.do === 'delete') this.rows = this.rows.filter((row) => row.id !== change.id)
  }

  newest(): string[] {
    return this.rows
      .map((row, place) => ({ row, place }))
      .toSorted((a, b) => b.row.created - a.row.created || b.place - a.place)
      .map(({ row }) => row.id)
  }
}

const ids = (rows: Iterable<Pet>) => Array.from(rows, (row) => row.id)

/** Everything that a table can return, as one value. */
function seen(table: Table<Pet>, cursor: string | undefined) {
  return {
    newest: ids(table.newest()),
    oldest: ids(table.oldest()),
    after: cursor === undefined ? [] : ids(table.newest(table.get(cursor))),
    x: ids(table.by('owner', 'x')).toSorted(),
    p: ids(table.by('tag', 'p')).toSorted(),
    counts: [table.size, table.count('owner', 'y')],
  }
}

function expected(model: Model, cursor: string | undefined): ReturnType<typeof seen> {
  const newest = model.newest()
  const those = (keep: (row: Pet) => boolean) => ids(model.rows.filter(keep)).toSorted()
  return {
    newest,
    oldest: newest.toReversed(),
    after: cursor === undefined ? [] : newest.slice(newest.indexOf(cursor) + 1),
    x: those((row) => row.owner === 'x'),
    p: those((row) => row.tags.includes('p')),
    counts: [model.rows.length, those((row) => row.owner === 'y').length],
  }
}

test('a table is an array with indexes, after any puts, deletions, undos and reads', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const log = new ChangeLog()
      const table = new Table<Pet>('t/pets', definition, log)
      const model = new Model()
      const stored = new Map<string, string>()
      let safe = model.rows
      const looks: [unknown, unknown][] = []
      for (const change of steps) {
        if (change.do === 'put') table.put(change.row)
        if (change.do === 'delete') table.delete(change.id)
        model.apply(change)
        if (change.do === 'rollback') {
          log.rollback()
          model.rows = safe
        }
        if (change.do === 'commit') {
          for (const { key, value } of log.changes()) {
            if (value === null) stored.delete(key)
            else stored.set(key, value)
          }
          log.discard()
          safe = model.rows
        }
        const cursor = model.rows[0]?.id
        if (change.do === 'look') looks.push([seen(table, cursor), expected(model, cursor)])
      }
      log.rollback()
      model.rows = safe
      const loaded = new Table<Pet>('t/pets', definition, new ChangeLog())
      loaded.load(stored.values())
      const copied = new Table<Pet>('t/pets', definition, new ChangeLog())
      copied.copyFrom(table)
      const cursor = safe[0]?.id
      for (const end of [table, loaded, copied]) looks.push([seen(end, cursor), expected(model, cursor)])
      expect(looks.map(([actual]) => actual)).toEqual(looks.map(([, wanted]) => wanted))
    }),
    { numRuns: 300 },
  )
})

interface Work {
  readonly at: number
  readonly rank: number
  readonly turn: number
  readonly key: string
}

test('due work comes in order of instant, rank and turn, after any moves, cancellations, undos and loads', () => {
  const schedule = fc.record({
    do: fc.constant('schedule' as const),
    at: fc.integer({ min: 0, max: 30 }),
    rank: fc.constantFrom(1, 2),
    key: id,
  })
  const other = fc.oneof(
    fc.record({ do: fc.constant('cancel' as const), key: id }),
    fc.record({ do: fc.constant('take' as const), until: fc.integer({ min: 0, max: 30 }) }),
    fc.record({ do: fc.constantFrom('undo' as const, 'reload' as const) }),
  )
  fc.assert(
    fc.property(fc.array(fc.oneof({ weight: 3, arbitrary: schedule }, other), { maxLength: 60 }), (steps) => {
      const log = new ChangeLog()
      let queue = new DueQueue(new Table('world/due', dueTable, log))
      let model: readonly Work[] = []
      let settled = model
      let turn = 0
      const taken: [unknown, unknown][] = []
      for (const change of steps) {
        if (change.do === 'schedule') {
          queue.schedule({ at: instant(change.at), rank: change.rank, space: 's', kind: 'k', key: change.key })
          model = [...model.filter(({ key }) => key !== change.key), { ...change, turn: ++turn }]
        }
        if (change.do === 'cancel') {
          queue.cancel({ space: 's', kind: 'k', key: change.key })
          model = model.filter(({ key }) => key !== change.key)
        }
        if (change.do === 'undo') {
          log.rollback()
          model = settled
        }
        if (change.do === 'reload') {
          const values = Array.from(queue.table.dump(), ({ value }) => value)
          const table = new Table('world/due', dueTable, log)
          table.load(values)
          log.discard()
          queue = new DueQueue(table)
          settled = model
        }
        // The clock takes work only between requests, after they are committed.
        if (change.do === 'take') {
          const next = model.toSorted((a, b) => a.at - b.at || a.rank - b.rank || a.turn - b.turn)[0]
          const due = next !== undefined && next.at <= change.until ? next : undefined
          taken.push([queue.take(instant(change.until))?.key, due?.key])
          log.discard()
          model = model.filter((work) => work !== due)
          settled = model
        }
        taken.push([queue.table.size, model.length])
      }
      expect(taken.map(([actual]) => actual)).toEqual(taken.map(([, wanted]) => wanted))
    }),
    { numRuns: 500 },
  )
})
