import { CsvError, parse } from 'csv-parse/sync'
import type { Diagnostic } from '../core/diagnostic.ts'
import { suggest } from '../core/suggest.ts'
import type { CopyMapRow } from '../engine/ports.ts'

/** The columns of the file that Stripe gives with a copy of payment data, in any order. */
const columns = ['customer_id_old', 'source_id_old', 'customer_id_new', 'source_id_new'] as const
type Column = (typeof columns)[number]

/** A row as read; the import adds when. */
export type CopyMapEntry = Omit<CopyMapRow, 'importedAt'>

const shapes: Record<Column, RegExp> = {
  // Old accounts may have customers with ids of their own making.
  customer_id_old: /^[\w-]+$/,
  customer_id_new: /^[\w-]+$/,
  source_id_old: /^(?:(?:pm|card|src|ba)_\w+)?$/,
  source_id_new: /^(?:(?:pm|card|src|ba)_\w+)?$/,
}

interface Line {
  readonly number: number
  readonly cells: Readonly<Record<Column, string>>
}

/**
 * Reads one copy-map CSV of the source account named. A byte order mark, a header without rows and exact repetitions are fine; anything doubtful is an error
 * with its line, and then no row is to be used. Pure: `file` is only for messages.
 */
export function readCopyMapCsv(
  source: string,
  file: string,
  text: string,
): { readonly rows: readonly CopyMapEntry[]; readonly findings: readonly Diagnostic[] } {
  const findings: Diagnostic[] = []
  const find = (rule: string, line: number, message: string, fix: string): void =>
    void findings.push({ severity: 'error', rule, message, fix, at: { file, line, column: 1 } })
  const lines = readLines(text, find)
  const rows = new Map<string, { row: CopyMapEntry; line: number }>()
  const customers = new Map<string, { customerNew: string; line: number }>()
  for (const { number, cells } of lines) {
    if (!wellFormed(cells, number, find)) continue
    const row: CopyMapEntry = {
      source,
      customerOld: cells.customer_id_old,
      customerNew: cells.customer_id_new,
      sourceOld: cells.source_id_old,
      sourceNew: cells.source_id_new,
    }
    const customer = customers.get(row.customerOld)
    if (customer !== undefined && customer.customerNew !== row.customerNew)
      find(
        'copy-map-conflict',
        number,
        `${row.customerOld} becomes ${row.customerNew} here and ${customer.customerNew} in line ${customer.line}`,
        askStripe,
      )
    customers.set(row.customerOld, customer ?? { customerNew: row.customerNew, line: number })
    const key = `${row.customerOld} ${row.sourceOld}`
    const before = rows.get(key)
    if (before === undefined) rows.set(key, { row, line: number })
    else if (before.row.sourceNew !== row.sourceNew)
      find(
        'copy-map-conflict',
        number,
        `${row.sourceOld} becomes ${row.sourceNew} here and ${before.row.sourceNew} in line ${before.line}`,
        askStripe,
      )
  }
  return { rows: findings.length > 0 ? [] : [...rows.values()].map(({ row }) => row), findings }
}

const askStripe =
  'ask Stripe which one holds, and correct the file; a later copy belongs into a file of its own, imported after this one'

type Find = (rule: string, line: number, message: string, fix: string) => void

function wellFormed(cells: Line['cells'], line: number, find: Find): boolean {
  const wrong = columns.filter((column) => !shapes[column].test(cells[column]))
  for (const column of wrong) {
    const value = cells[column]
    find(
      'copy-map-id',
      line,
      value === '' ? `${column} is empty` : `${column} is not an id of Stripe (${value.length} characters)`,
      column.startsWith('customer')
        ? 'expected an id such as cus_…'
        : 'expected pm_…, card_…, src_… or ba_…, or nothing in both source columns',
    )
  }
  if (wrong.length > 0) return false
  if ((cells.source_id_old === '') === (cells.source_id_new === '')) return true
  find(
    'copy-map-half',
    line,
    `one of source_id_old and source_id_new is empty`,
    'a payment method that was not copied has no row; remove it or complete it',
  )
  return false
}

/** The rows by column; [] with findings when the header or the CSV itself is wrong. */
function readLines(text: string, find: Find): Line[] {
  let records: { record: string[]; info: { lines: number } }[]
  try {
    records = parse(text, {
      bom: true,
      info: true,
      skip_empty_lines: true,
      trim: true,
      relax_column_count: true,
    }) as unknown as typeof records
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    find(
      'copy-map-csv',
      Number(error['lines'] ?? 1),
      `not CSV: ${String(error.code)}`,
      'export the file again, or mend the quotation marks in this line',
    )
    return []
  }
  const [header, ...body] = records
  if (header === undefined) {
    find('copy-map-columns', 1, 'the file is empty', `its first line names the columns: ${columns.join(',')}`)
    return []
  }
  const names = header.record
  const missing = columns.filter((column) => names.filter((name) => name === column).length !== 1)
  const unknown = names.filter((name) => !columns.some((column) => column === name))
  if (missing.length > 0 || unknown.length > 0) {
    const near = unknown.map((name) => suggest(name, columns)).find((one) => one !== undefined)
    find(
      'copy-map-columns',
      header.info.lines,
      `the columns are not those of a copy map (${[...missing.map((one) => `${one} is not there once`), ...unknown.map((one) => `"${one.slice(0, 40)}" is unknown`)].join(', ')})`,
      near === undefined ? `the first line must be: ${columns.join(',')}` : `did you mean ${near}?`,
    )
    return []
  }
  return body.flatMap(({ record, info }) => {
    if (record.length !== names.length) {
      find('copy-map-csv', info.lines, `${record.length} cells where ${names.length} are expected`, 'complete the line')
      return []
    }
    const cell = (column: Column): string => record[names.indexOf(column)] ?? ''
    return [
      {
        number: info.lines,
        cells: {
          customer_id_old: cell('customer_id_old'),
          source_id_old: cell('source_id_old'),
          customer_id_new: cell('customer_id_new'),
          source_id_new: cell('source_id_new'),
        },
      },
    ]
  })
}
