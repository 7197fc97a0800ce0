import { describe, expect, test } from 'vitest'
import { CopyMapIndex, readCopyMapCsv } from '../../src/files/copy-map.ts'

const header = 'customer_id_old,source_id_old,customer_id_new,source_id_new'
const read = (text: string) => readCopyMapCsv('us', 'us.csv', text)
const found = (text: string) =>
  read(text).findings.map(({ rule, at, message }) => `${at?.file}:${at?.line} ${rule}: ${message}`)

describe('a copy map', () => {
  test('of 130,000 customers is read', () => {
    const id = (kind: string, n: number): string => `${kind}_${String(n).padStart(16, '0')}`
    const rows = Array.from({ length: 130_000 }, (_, n) => `${id('cus', n)},,${id('cus', n)},`)
    const { rows: all, findings } = read([header, ...rows, ''].join('\n'))
    expect({ all: all.length, findings }).toEqual({ all: 130_000, findings: [] })
  })

  test('is read with or without byte order mark, with any line ends, column order, empty lines and quotes', () => {
    const row = { source: 'us', customerOld: 'cus_1', customerNew: 'cus_1', sourceOld: 'pm_1', sourceNew: 'pm_9' }
    for (const text of [
      `${header}\ncus_1,pm_1,cus_1,pm_9`,
      `\uFEFF${header}\r\ncus_1,pm_1,cus_1,pm_9\r\n\r\n`,
      `source_id_new,customer_id_new,source_id_old,customer_id_old\npm_9,cus_1,pm_1,cus_1\n`,
      `"customer_id_old", source_id_old ,customer_id_new,source_id_new\n"cus_1",pm_1,cus_1,pm_9`,
    ])
      expect(read(text)).toEqual({ rows: [row], findings: [] })
  })

  test('may have only a header, customers without payment method, several methods, and exact repetitions', () => {
    expect(read(`${header}\n`)).toEqual({ rows: [], findings: [] })
    const { rows, findings } = read(
      `${header}\ncus_1,pm_1,cus_1,pm_9\ncus_2,,cus_2,\ncus_1,card_1,cus_1,card_9\ncus_1,pm_1,cus_1,pm_9\nlegacy-17,ba_1,legacy-17,ba_2`,
    )
    expect(findings).toEqual([])
    expect(rows.map(({ customerOld, sourceOld, sourceNew }) => [customerOld, sourceOld, sourceNew])).toEqual([
      ['cus_1', 'pm_1', 'pm_9'],
      ['cus_2', '', ''],
      ['cus_1', 'card_1', 'card_9'],
      ['legacy-17', 'ba_1', 'ba_2'],
    ])
  })

  test('with today’s six columns is read, with blank cells for a customer without a method', () => {
    const { rows, findings } = readCopyMapCsv(
      'us',
      'us.csv',
      `customer_id_old,v2_account_id_old,source_id_old,customer_id_new,v2_account_id_new,source_id_new
cus_1,,pm_1,cus_1,acct_9,pm_9
cus_2,,,cus_2,,
`,
    )
    expect(findings).toEqual([])
    expect(rows.map(({ customerOld, sourceOld, sourceNew }) => [customerOld, sourceOld, sourceNew])).toEqual([
      ['cus_1', 'pm_1', 'pm_9'],
      ['cus_2', '', ''],
    ])
  })

  test('with columns that Stripe added later is read without them, and reports them', () => {
    const { rows, findings } = readCopyMapCsv('us', 'us.csv', `${header},email\ncus_1,pm_1,cus_1,pm_2,a@b.example`)
    expect(rows).toHaveLength(1)
    expect(findings).toEqual([
      expect.objectContaining({ severity: 'warning', message: 'additional columns are not read: "email"' }),
    ])
  })

  test('with a lone carriage return is refused with its line', () => {
    const message = 'copy-map-text: this line has a carriage return without a line feed'
    expect(found(`${header}\rcus_1,pm_1,cus_1,pm_9\r`)).toEqual([`us.csv:1 ${message}`])
    expect(found(`${header}\r\ncus_1,pm_1,cus_1,pm_9\rcus_2,pm_2,cus_2,pm_8\n`)).toEqual([`us.csv:2 ${message}`])
    expect(found(`${header}\ncus_1,"pm\r_1",cus_1,pm_9\n`)).toEqual([`us.csv:2 ${message}`])
  })

  test.each([
    ['nothing at all', '', ['us.csv:1 copy-map-columns: the file is empty']],
    ['a missing column', 'customer_id_old,source_id_old,customer_id_new\n', [/source_id_new is not there once/]],
    [
      'a misspelt column',
      'customer_id_old,source_id_old,customer_id_new,source_id_knew\n',
      [/"source_id_knew" is unknown/],
    ],
    ['a column twice', `${header},source_id_new\n`, [/source_id_new is not there once/]],
    ['no header', 'cus_1,pm_1,cus_1,pm_9\ncus_2,pm_2,cus_2,pm_8', [/^us.csv:1 copy-map-columns/]],
    ['a short line', `${header}\n\ncus_1,pm_1,cus_1`, [/^us.csv:3 copy-map-csv: 3 cells where 4/]],
    [
      'an open quotation mark',
      `${header}\ncus_1,pm_1,cus_1,pm_2\n"cus_2,pm_1,cus_1,pm_9\n`,
      [/^us.csv:\d copy-map-csv: not CSV/],
    ],
    [
      'an e-mail address for an id',
      `${header}\njane@example.com,pm_1,cus_1,pm_9`,
      [/^us.csv:2 copy-map-id: customer_id_old is not a Stripe id/],
    ],
    [
      'a file that was cut off',
      `${header}\ncus_1,pm_1,cus_1,pm_1MqLiJLkdIwHu7ixUEgbFdYN\ncus_2,pm_2,cus_2,pm_1MqLiJLkdIwHu7ixU`,
      [/^us.csv:3 copy-map-cut: source_id_new of the last line is shorter than every other id/],
    ],
    ['an empty customer', `${header}\n,pm_1,cus_1,pm_9`, [/customer_id_old is empty/]],
    ['another kind of id', `${header}\ncus_1,sub_1,cus_1,pm_9`, [/source_id_old is not a Stripe id/]],
    ['a method that was not copied', `${header}\ncus_1,pm_1,cus_1,`, [/^us.csv:2 copy-map-half/]],
    [
      'one method with two successors',
      `${header}\ncus_1,pm_1,cus_1,pm_8\ncus_1,pm_1,cus_1,pm_9`,
      [/^us.csv:3 copy-map-conflict: pm_1 becomes pm_9 here and pm_8 in line 2/],
    ],
    [
      'one customer with two successors',
      `${header}\ncus_1,pm_1,cus_1,pm_8\ncus_1,pm_2,cus_7,pm_9`,
      [/^us.csv:3 copy-map-conflict: cus_1 becomes cus_7 here and cus_1 in line 2/],
    ],
    [
      'one method of two customers',
      `${header}\ncus_1,pm_1,cus_1,pm_8\ncus_2,pm_1,cus_2,pm_9`,
      [/^us.csv:3 copy-map-conflict: pm_1 belongs to cus_2 here and to cus_1 in line 2/],
    ],
    [
      'two methods that became one',
      `${header}\ncus_1,pm_1,cus_1,pm_8\ncus_2,pm_2,cus_2,pm_8`,
      [/^us.csv:3 copy-map-conflict: pm_8 is the copy of pm_2 here and of pm_1 in line 2/],
    ],
    ['another encoding', `${header}\ncus_1,pm_1,cus_1,pm_8\ncus_\uFFFD,,cus_2,`, [/^us.csv:3 copy-map-text/]],
    ['two bytes a letter', `${header}\n`.split('').join('\0'), [/^us.csv:1 copy-map-text/]],
    [
      'a line end inside quotation marks',
      `${header}\n"cus_1\n",pm_1,cus_1,pm_8\n"cus\n_2",pm_2,cus_2,pm_9`,
      [/^us.csv:3 copy-map-id: customer_id_old/, /^us.csv:5 copy-map-id: customer_id_old is not a Stripe id/],
    ],
  ])('refuses %s with the line, and then gives no row', (_, text, expected) => {
    const messages = found(text)
    expect(messages).toHaveLength(expected.length)
    expected.forEach((one, n) => expect(messages[n]).toMatch(one))
    expect(read(text).rows).toEqual([])
    expect(messages.join()).not.toContain('@')
  })

  test('reports all errors at once, each with its line', () => {
    const text = `${header}\nx y,pm_1,cus_1,pm_9\ncus_2,pm_2,cus_2,pm_7\ncus_3,pm_3,cus_3,\ncus_2,pm_2,cus_2,pm_6`
    expect(read(text).findings.map(({ at, rule }) => [at?.line, rule])).toEqual([
      [2, 'copy-map-id'],
      [4, 'copy-map-half'],
      [5, 'copy-map-conflict'],
    ])
  })

  test('files of one source agree, or report where they differ', () => {
    const index = new CopyMapIndex()
    const rows = (file: string, row: string) => readCopyMapCsv('us', file, `${header}\n${row}`, index)
    expect(rows('first.csv', 'cus_1,pm_1,cus_1,pm_8').findings).toEqual([])
    expect(rows('second.csv', 'cus_1,pm_1,cus_1,pm_8').findings).toEqual([])
    expect(rows('third.csv', 'cus_1,pm_1,cus_1,pm_9').findings).toMatchObject([
      { at: { file: 'third.csv', line: 2 }, message: 'pm_1 becomes pm_9 here and pm_8 in line 2 of first.csv' },
    ])
  })

  test('suggests the intended column', () => {
    expect(read(`${header.replace('source_id_new', 'source_id_knew')}\n`).findings[0]?.fix).toBe(
      'did you mean source_id_new?',
    )
  })
})
