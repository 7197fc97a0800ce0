// Rows in maps, with secondary indexes, an order for lists, and a change log that can undo a
// request or give its changes to the storage.
import { Bug, present } from '../../core/assert.ts'

export interface Row {
  readonly id: string
  /** Lists show the newest rows first. */
  readonly created: number
}

type Keys = string | readonly string[] | undefined

/**
 * Declares a table; `space.table(products)` returns the table of one account. Rows are immutable:
 * to change a row, `put` a new object.
 */
export interface TableDefinition<R extends Row> {
  readonly name: string
  /** Secondary indexes: the value or values that find a row. */
  readonly indexes?: Readonly<Record<string, (row: R) => Keys>>
}

export interface StoredRow {
  readonly table: string
  readonly key: string
  readonly value: string
}

export interface Change {
  readonly table: string
  readonly key: string
  readonly value: string | null
}

/** What changed since the last commit, with the rows before the change. */
export class ChangeLog {
  #before = new Map<AnyTable, Map<string, { row: Row; sequence: number } | undefined>>()
  #size = 0
  /** Grows with every write and undo: while it stays the same, no row has changed. */
  turns = 0

  get size(): number {
    return this.#size
  }

  record(table: AnyTable, id: string, before: { row: Row; sequence: number } | undefined): void {
    this.turns++
    let rows = this.#before.get(table)
    if (rows === undefined) this.#before.set(table, (rows = new Map()))
    if (rows.has(id)) return
    rows.set(id, before)
    this.#size++
  }

  /** The changed rows in their present form. */
  changes(): Change[] {
    const changes: Change[] = []
    for (const [table, rows] of this.#before)
      for (const id of rows.keys()) changes.push({ table: table.path, key: id, value: table.stored(id) })
    return changes
  }

  /** Confirms the changes; they can no longer be undone. */
  discard(): void {
    this.#before.clear()
    this.#size = 0
  }

  rollback(): void {
    this.turns++
    for (const [table, rows] of this.#before) for (const [id, before] of rows) table.restore(id, before)
    this.discard()
  }
}

interface AnyTable {
  readonly path: string
  stored(id: string): string | null
  restore(id: string, before: { row: Row; sequence: number } | undefined): void
}

export class Table<R extends Row> implements AnyTable {
  readonly path: string
  readonly definition: TableDefinition<R>
  readonly #log: ChangeLog
  readonly #keys: readonly [string, (row: R) => Keys][]
  readonly #rows = new Map<string, R>()
  readonly #sequences = new Map<string, number>()
  readonly #indexes = new Map<string, Map<string, Set<string>>>()
  #next = 1
  /** Oldest first; undefined when it must be sorted again. */
  #order: string[] | undefined = []
  /**
   * Where the order begins. The oldest rows are deleted often (a day's keys, a month's events), so
   * their removal must be cheap.
   */
  #first = 0

  constructor(path: string, definition: TableDefinition<R>, log: ChangeLog) {
    this.path = path
    this.definition = definition
    this.#log = log
    this.#keys = Object.entries(definition.indexes ?? {})
    for (const [name] of this.#keys) this.#indexes.set(name, new Map())
  }

  get size(): number {
    return this.#rows.size
  }

  get(id: string): R | undefined {
    return this.#rows.get(id)
  }

  has(id: string): boolean {
    return this.#rows.has(id)
  }

  /** Inserts or replaces a row. */
  put(row: R): R {
    const before = this.#rows.get(row.id)
    const sequence = this.#sequences.get(row.id)
    this.#log.record(
      this as unknown as AnyTable,
      row.id,
      before === undefined ? undefined : { row: before, sequence: sequence ?? 0 },
    )
    this.#set(row, sequence ?? this.#next++)
    return row
  }

  delete(id: string): void {
    const before = this.#rows.get(id)
    if (before === undefined) return
    this.#log.record(this as unknown as AnyTable, id, { row: before, sequence: this.#sequences.get(id) ?? 0 })
    this.#remove(id)
  }

  /** Every row, in no particular order. */
  all(): IterableIterator<R> {
    return this.#rows.values()
  }

  /** The rows under one value of a secondary index, in the order of insertion. */
  by(index: string, value: string): R[] {
    const found = this.#index(index).get(value)
    return found === undefined ? [] : Array.from(found, (id) => present(this.#rows.get(id), id))
  }

  /** The number of rows under one value of an index, without reading them. */
  count(index: string, value: string): number {
    return this.#index(index).get(value)?.size ?? 0
  }

  /** Newest first, beginning after a row (the cursor of a list), without a copy of the table. */
  *newest(after?: R): Generator<R> {
    const order = this.#sorted()
    for (let at = after === undefined ? order.length - 1 : this.#place(order, after) - 1; at >= this.#first; at--) {
      const row = this.#rows.get(order[at] ?? '')
      if (row !== undefined) yield row
    }
  }

  /** Oldest first, beginning after a row: the other direction of a list. */
  *oldest(after?: R): Generator<R> {
    const order = this.#sorted()
    for (let at = after === undefined ? this.#first : this.#place(order, after) + 1; at < order.length; at++) {
      const row = this.#rows.get(order[at] ?? '')
      if (row !== undefined) yield row
    }
  }

  /** Negative when `a` is older than `b`. */
  compare(a: R, b: R): number {
    return a.created - b.created || (this.#sequences.get(a.id) ?? 0) - (this.#sequences.get(b.id) ?? 0)
  }

  stored(id: string): string | null {
    const row = this.#rows.get(id)
    return row === undefined ? null : JSON.stringify([this.#sequences.get(id), row])
  }

  *dump(): Generator<StoredRow> {
    for (const id of this.#rows.keys()) yield { table: this.path, key: id, value: this.stored(id) ?? '' }
  }

  /** Loads rows in the form that the storage keeps. */
  load(values: Iterable<string>): void {
    const rows = Array.from(values, (value) => JSON.parse(value) as [number, R]).toSorted((a, b) => a[0] - b[0])
    for (const [sequence, row] of rows) {
      this.#set(row, sequence)
      this.#next = Math.max(this.#next, sequence + 1)
    }
  }

  /** Shares the rows of the other table (they are immutable) in maps of its own. */
  copyFrom(other: Table<R>): void {
    for (const row of other.#rows.values()) this.#set(row, other.#sequences.get(row.id) ?? 0)
    this.#next = other.#next
  }

  restore(id: string, before: { row: Row; sequence: number } | undefined): void {
    if (before === undefined) this.#remove(id)
    else this.#set(before.row as R, before.sequence)
  }

  #set(row: R, sequence: number): void {
    const before = this.#rows.get(row.id)
    this.#rows.set(row.id, row)
    this.#sequences.set(row.id, sequence)
    this.#file(before, row)
    if (before === undefined || before.created !== row.created) this.#arrange(row, before === undefined)
  }

  #remove(id: string): void {
    const row = this.#rows.get(id)
    if (row === undefined) return
    this.#file(row, undefined)
    this.#rows.delete(id)
    this.#sequences.delete(id)
    if (this.#order?.[this.#first] === id) this.#first++
    else this.#order = undefined
  }

  #arrange(row: R, isNew: boolean): void {
    if (this.#order === undefined) return
    const newest = this.#rows.get(this.#order.at(-1) ?? '')
    if (isNew && (this.#order.length === this.#first || (newest && this.compare(newest, row) < 0)))
      this.#order.push(row.id)
    else this.#order = undefined
  }

  #sorted(): string[] {
    if (this.#order !== undefined && this.#first < 1_000 + this.#order.length / 2) return this.#order
    this.#order = [...this.#rows.values()].toSorted((a, b) => this.compare(a, b)).map((row) => row.id)
    this.#first = 0
    return this.#order
  }

  #place(order: readonly string[], row: R): number {
    let [low, high] = [this.#first, order.length - 1]
    while (low <= high) {
      const middle = (low + high) >> 1
      const other = present(this.#rows.get(order[middle] ?? ''), `row ${middle} of ${this.path}`)
      const side = this.compare(other, row)
      if (side === 0) return middle
      if (side < 0) low = middle + 1
      else high = middle - 1
    }
    throw new Bug(`${row.id} is not in ${this.path}`)
  }

  #index(name: string): Map<string, Set<string>> {
    return present(this.#indexes.get(name), `index ${name} of ${this.path}`)
  }

  /** Files a row under its index values. Where a value stays the same, the row keeps its place. */
  #file(before: R | undefined, row: R | undefined): void {
    for (const [name, keys] of this.#keys) {
      const [old, now] = [before === undefined ? none : each(keys(before)), row === undefined ? none : each(keys(row))]
      if (sameValues(old, now)) continue
      const index = this.#index(name)
      for (const value of old) if (!now.includes(value)) drop(index, value, before?.id ?? '')
      for (const value of now) if (!old.includes(value)) add(index, value, row?.id ?? '')
    }
  }
}

function add(index: Map<string, Set<string>>, value: string, id: string): void {
  const set = index.get(value)
  if (set === undefined) index.set(value, new Set([id]))
  else set.add(id)
}

function drop(index: Map<string, Set<string>>, value: string, id: string): void {
  const set = index.get(value)
  set?.delete(id)
  if (set?.size === 0) index.delete(value)
}

const none: readonly string[] = []

function sameValues(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((value, at) => value === b[at])
}

function each(keys: Keys): readonly string[] {
  return keys === undefined ? none : typeof keys === 'string' ? [keys] : keys
}
