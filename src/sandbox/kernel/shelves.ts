// All tables of a world, by path (`us/products`), with the log of what changed in them.
import { idFor } from './ids.ts'
import { ChangeLog, Table, type Row, type StoredRow, type TableDefinition } from './tables.ts'

/** A set of tables with its own ids: an account, or another service of the world (`kajabi`). */
export interface Space {
  readonly name: string
  table<R extends Row>(definition: TableDefinition<R>): Table<R>
  /** The next id of a prefix (`prod` → `prod_…`). */
  newId(prefix: string): string
  /**
   * Ids now come from a separate counter: the space holds objects of another world, whose ids must
   * not be used again.
   */
  ownIds(): void
}

/** Marks a space with objects of another world. */
const foreign = '+'

interface Counter extends Row {
  readonly count: number
}

const counters: TableDefinition<Counter> = { name: 'counters' }

export class Shelves {
  readonly log = new ChangeLog()
  readonly #seed: number
  readonly #tables = new Map<string, Table<Row>>()
  readonly #spaces = new Map<string, Space>()
  /** Rows as the storage has them, until their table is first used. */
  readonly #stored = new Map<string, string[]>()

  constructor(seed: number, rows: Iterable<StoredRow>) {
    this.#seed = seed
    for (const { table, value } of rows) {
      const values = this.#stored.get(table)
      if (values === undefined) this.#stored.set(table, [value])
      else values.push(value)
    }
  }

  table<R extends Row>(path: string, definition: TableDefinition<R>): Table<R> {
    const known = this.#tables.get(path)
    if (known !== undefined) return known as unknown as Table<R>
    const table = new Table(path, definition, this.log)
    table.load(this.#stored.get(path) ?? [])
    this.#stored.delete(path)
    this.#tables.set(path, table as unknown as Table<Row>)
    return table
  }

  space(name: string): Space {
    const known = this.#spaces.get(name)
    if (known !== undefined) return known
    const space: Space = {
      name,
      table: (definition) => this.table(`${name}/${definition.name}`, definition),
      newId: (prefix) => {
        const table = this.table(`${name}/counters`, counters)
        const id = prefix === '' ? '-' : prefix
        const count = (table.get(id)?.count ?? 0) + 1
        table.put({ id, created: 0, count })
        return idFor(this.#seed, table.has(foreign) ? `${name}${foreign}` : name, prefix, count)
      },
      ownIds: () => {
        this.table(`${name}/counters`, counters).put({ id: foreign, created: 0, count: 0 })
      },
    }
    this.#spaces.set(name, space)
    return space
  }

  /** Every row, in the form that a storage keeps. */
  *dump(): Generator<StoredRow> {
    for (const [path, values] of this.#stored)
      for (const value of values) yield { table: path, key: (JSON.parse(value) as [number, Row])[1].id, value }
    for (const table of this.#tables.values()) yield* table.dump()
  }

  /** How many rows each table of each space has. */
  counts(): Record<string, Record<string, number>> {
    const counts: Record<string, Record<string, number>> = {}
    const sizes = [
      ...[...this.#stored].map(([path, values]) => [path, values.length] as const),
      ...[...this.#tables].map(([path, table]) => [path, table.size] as const),
    ]
    for (const [path, size] of sizes.toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      const [space = '', name = ''] = path.split('/')
      if (size > 0) (counts[space] ??= {})[name] = size
    }
    return counts
  }

  /** Deletes every row, also of tables that were not used yet. */
  clear(): void {
    for (const [path, values] of this.#stored) {
      // The definition is not known here; a later call with this path brings the indexes.
      const table = new Table(path, { name: path }, this.log)
      table.load(values)
      for (const row of table.all()) table.delete(row.id)
    }
    this.#stored.clear()
    for (const table of this.#tables.values()) for (const row of table.all()) table.delete(row.id)
  }

  /** Replaces its rows with those of another world; rows are immutable and shared. Not logged. */
  copyFrom(others: Shelves): void {
    this.clear()
    for (const [path, values] of others.#stored) this.#stored.set(path, [...values])
    for (const [path, table] of others.#tables) this.table(path, table.definition).copyFrom(table)
    this.log.discard()
  }
}
