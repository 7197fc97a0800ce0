// Due work on the simulated clock: a binary heap over the rows of a table, so that it is saved,
// undone and copied like all other rows.
import type { Instant } from '../../core/instant.ts'
import type { Row, Table, TableDefinition } from './tables.ts'

export interface DueRow extends Row {
  readonly at: Instant
  readonly space: string
  readonly kind: string
  readonly key: string
  /** The order of work due at the same instant: smaller first. */
  readonly rank: number
  /**
   * The number of the scheduling. It distinguishes the valid heap entry from those of earlier
   * schedulings.
   */
  readonly turn: number
}

export const dueTable: TableDefinition<DueRow> = { name: 'due' }

/** One piece of work per (space, kind, key): scheduling it again moves it. */
export class DueQueue {
  readonly table: Table<DueRow>
  #heap: DueRow[] = []
  #turn = 0

  constructor(table: Table<DueRow>) {
    this.table = table
    this.rebuild()
  }

  schedule(work: Omit<DueRow, 'id' | 'created' | 'turn'>): void {
    const row = { ...work, id: idOf(work), created: work.at, turn: ++this.#turn }
    this.table.put(row)
    this.#push(row)
  }

  cancel(work: { space: string; kind: string; key: string }): void {
    this.table.delete(idOf(work))
  }

  at(work: { space: string; kind: string; key: string }): Instant | undefined {
    return this.table.get(idOf(work))?.at
  }

  /** Removes the next work due at or before an instant from the queue and returns it. */
  take(until: Instant): DueRow | undefined {
    const next = this.peek()
    if (next === undefined || next.at > until) return undefined
    this.#pop()
    this.table.delete(next.id)
    return next
  }

  peek(): DueRow | undefined {
    for (let top = this.#heap[0]; top !== undefined; top = this.#heap[0]) {
      if (this.table.get(top.id)?.turn === top.turn) return top
      this.#pop()
    }
    return undefined
  }

  /**
   * Builds the heap from the table: first of all, and when rows changed outside the queue. Undone
   * requests need no rebuild.
   */
  rebuild(): void {
    this.#heap = [...this.table.all()].toSorted(before)
    for (const row of this.#heap) this.#turn = Math.max(this.#turn, row.turn)
  }

  #push(row: DueRow): void {
    const heap = this.#heap
    heap.push(row)
    let at = heap.length - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.#swapIf(parent, at)) break
      at = parent
    }
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    heap[0] = last
    for (let at = 0; ;) {
      const left = 2 * at + 1
      const [a, b] = [heap[left], heap[left + 1]]
      if (a === undefined) break
      const child = b !== undefined && before(b, a) < 0 ? left + 1 : left
      if (!this.#swapIf(at, child)) break
      at = child
    }
  }

  /** Swaps parent and child when the child is due earlier. */
  #swapIf(parent: number, child: number): boolean {
    const [above, below] = [this.#heap[parent], this.#heap[child]]
    if (above === undefined || below === undefined || before(above, below) <= 0) return false
    this.#heap[parent] = below
    this.#heap[child] = above
    return true
  }
}

function before(a: DueRow, b: DueRow): number {
  return a.at - b.at || a.rank - b.rank || a.turn - b.turn
}

function idOf(work: { space: string; kind: string; key: string }): string {
  return `${work.space}|${work.kind}|${work.key}`
}
