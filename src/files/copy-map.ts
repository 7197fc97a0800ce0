import { least } from '../core/lists.ts'
import { CsvError, parse } from 'csv-parse/sync'
import { hasErrors, type Diagnostic } from '../core/diagnostic.ts'
import { suggest } from '../core/suggest.ts'
import type { CopyMapRow } from '../engine/ports.ts'

/** The columns that are read from the mapping file of a copy of payment data, in any order. */
const columns = ['customer_id_old', 'source_id_old', 'customer_id_new', 'source_id_new'] as const
type Column = (typeof columns)[number]

/**
 * Columns of the same file without payment data: ids of v2 accounts, mostly blank.
 */
const unread = new Set(['v2_account_id_old', 'v2_account_id_new'])

/** A row as read; the import adds the time. */
export type CopyMapEntry = Omit<CopyMapRow, 'importedAt'>

const shapes: Record<Column, RegExp> = {
  // Old accounts may have customers whose ids the account's owner chose.
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
 * The statements of the rows read so far, with their positions: of one file, or of several files of
 * the same age.
 */
export class CopyMapIndex {
  readonly #said = new Map<string, { readonly value: string; readonly file: string; readonly line: number }>()

  /** The place of a conflicting statement; undefined when the statement is new or equal. */
  other(about: string, value: string, { file, line }: Place): string | undefined {
    const before = this.#said.get(about)
    if (before === undefined) this.#said.set(about, { value, file, line })
    if (before === undefined || before.value === value) return undefined
    return `${before.value} in line ${before.line}${before.file === file ? '' : ` of ${before.file}`}`
  }
}

interface Place {
  readonly file: string
  readonly line: number
}

/**
 * Reads one copy-map CSV of the given source account. A byte order mark, a header without rows and
 * exact repetitions are accepted. Stripe may add columns to its file: an additional column is a
 * warning and is not read. Everything unclear is an error with its line, and then no row may be
 * used. Pure: `file` is only for messages. `index` is shared by files of the same age.
 */
export function readCopyMapCsv(
  source: string,
  file: string,
  text: string,
  index: CopyMapIndex = new CopyMapIndex(),
): { readonly rows: readonly CopyMapEntry[]; readonly findings: readonly Diagnostic[] } {
  const findings: Diagnostic[] = []
  const find: Find = (rule, line, message, fix, severity = 'error') =>
    void findings.push({ severity, rule, message, fix, at: { file, line, column: 1 } })
  const rows = new Map<string, CopyMapEntry>()
  const lines = readLines(text, find)
  const cut = cutColumn(lines)
  if (cut !== undefined)
    find(
      'copy-map-cut',
      lines.at(-1)?.number ?? 1,
      `${cut} of the last line is shorter than every other id of its kind: the file was cut off`,
      'download the mapping file again',
    )
  for (const { number, cells } of lines) {
    if (!wellFormed(cells, number, find)) continue
    const row: CopyMapEntry = {
      source,
      customerOld: cells.customer_id_old,
      customerNew: cells.customer_id_new,
      sourceOld: cells.source_id_old,
      sourceNew: cells.source_id_new,
    }
    for (const conflict of conflicts(row, index, { file, line: number }))
      find('copy-map-conflict', number, conflict, askStripe)
    rows.set(`${row.customerOld} ${row.sourceOld}`, row)
  }
  return { rows: hasErrors(findings) ? [] : [...rows.values()], findings }
}

/** Ids that Stripe made have at least this many characters. */
const wholeId = 16

/** The column whose last id is shorter than all others of its kind: the file was cut off. */
function cutColumn(lines: readonly Line[]): Column | undefined {
  const last = lines.at(-1)
  return columns.find((column) => {
    const id = last?.cells[column] ?? ''
    const kind = /^(?:cus|pm|card|src|ba)_/.exec(id)?.[0] ?? ''
    const lengths = lines
      .slice(0, -1)
      .flatMap(({ cells }) => (kind !== '' && cells[column].startsWith(kind) ? [cells[column].length] : []))
    const shortest = least(lengths)
    return lengths.length > 0 && id.length < shortest && shortest >= wholeId
  })
}

/**
 * Each old customer has one new customer. Each old payment method has one owner and one new method,
 * which belongs to no other old method.
 */
function conflicts(row: CopyMapEntry, index: CopyMapIndex, place: Place): readonly string[] {
  const { customerOld, customerNew, sourceOld, sourceNew } = row
  const becomes = (kind: string, one: string, other: string): string[] => {
    const there = index.other(`${kind} ${one}`, other, place)
    return there === undefined ? [] : [`${one} becomes ${other} here and ${there}`]
  }
  const found = becomes('customer', customerOld, customerNew)
  if (sourceOld === '') return found
  const owner = index.other(`owner ${sourceOld}`, customerOld, place)
  if (owner !== undefined) return [...found, `${sourceOld} belongs to ${customerOld} here and to ${owner}`]
  const twice = becomes('payment', sourceOld, sourceNew)
  const meaning = index.other(`copy ${sourceNew}`, sourceOld, place)
  return twice.length > 0 || meaning === undefined
    ? [...found, ...twice]
    : [...found, `${sourceNew} is the copy of ${sourceOld} here and of ${meaning}`]
}

const askStripe =
  'ask Stripe which one is right, and correct the file; put a later copy into a separate file and import it after this one'

type Find = (rule: string, line: number, message: string, fix: string, severity?: Diagnostic['severity']) => void

function wellFormed(cells: Line['cells'], line: number, find: Find): boolean {
  const wrong = columns.filter((column) => !shapes[column].test(cells[column]))
  for (const column of wrong) {
    const value = cells[column]
    find(
      'copy-map-id',
      line,
      value === '' ? `${column} is empty` : `${column} is not a Stripe id (${value.length} characters)`,
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
  // Neither can occur in a CSV of ids; they indicate another encoding or another type of file.
  const odd = text.search(/[\0\uFFFD]/)
  if (odd >= 0) {
    find('copy-map-text', text.slice(0, odd).split('\n').length, 'this is not UTF-8 text', 'save the file as UTF-8')
    return []
  }
  // A CSV reader treats it as the end of a line or as part of a cell, depending on what it sees
  // first.
  const loose = text.search(/\r(?!\n)/)
  if (loose >= 0) {
    const line = text.slice(0, loose).split('\n').length
    find(
      'copy-map-text',
      line,
      'this line has a carriage return without a line feed',
      'end lines with a line feed, or with a carriage return and a line feed',
    )
    return []
  }
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
      'export the file again, or correct the quotation marks in this line',
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
  const unknown = names.filter((name) => !columns.some((column) => column === name) && !unread.has(name))
  if (missing.length === 0 && unknown.length > 0)
    find(
      'copy-map-columns',
      header.info.lines,
      `additional columns are not read: ${unknown.map((one) => `"${one.slice(0, 40)}"`).join(', ')}`,
      'nothing to do if this is the unchanged file from Stripe',
      'warning',
    )
  if (missing.length > 0) {
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
