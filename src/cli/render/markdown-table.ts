import { firstFew } from './words.ts'

/** GitHub takes 65,536 characters in a comment, and refuses a longer one as a whole; what a job puts around it needs room, too. */
const mostCharacters = 60_000
/** Rows a table shows, and fewer when that is too much altogether. With the last the longest document fits. */
const rowSteps = [50, 20, 8, 3]
const cellCharacters = 400

/** The document with as many rows in each table as fit into one comment. */
export function fittingMarkdown(render: (rows: number) => string): string {
  let text = ''
  for (const rows of rowSteps) {
    text = render(rows)
    if (text.length <= mostCharacters) break
  }
  return text
}

/** A titled table; empty without rows. `text` stands between title and table, `all` is how many there are when `rows` are only some of them. */
export function markdownTable(
  title: string,
  heads: readonly string[],
  rows: readonly (readonly string[])[],
  { limit, text = '', all = rows.length }: { readonly limit: number; readonly text?: string; readonly all?: number },
): string {
  if (rows.length === 0) return ''
  const { shown } = firstFew(rows, limit)
  const more = all - shown.length
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`
  return [
    `### ${title}`,
    '',
    ...(text === '' ? [] : [text, '']),
    line(heads),
    line(heads.map(() => '---')),
    ...shown.map(line),
    ...(more === 0 ? [] : ['', `… and ${more} more (\`--format json\` lists all).`]),
  ].join('\n')
}

function cell(text: string): string {
  const plain = text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ')
  return plain.length <= cellCharacters ? plain : `${plain.slice(0, cellCharacters)}…`
}

export function code(text: string): string {
  return `\`${text.replaceAll('`', "'")}\``
}
