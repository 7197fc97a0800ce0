import { dated } from '../dated.ts'
import { firstFew } from './words.ts'

/**
 * GitHub accepts 65,536 characters in a comment and refuses a longer one. A job that adds its own
 * text also needs room.
 */
const mostCharacters = 60_000
/**
 * The numbers of rows in a table to try, until the document fits. With the last number the longest
 * document fits.
 */
const rowSteps = [50, 20, 8, 3]
const cellCharacters = 400

// Private characters mark code until the document is finished, so that all other text can be
// escaped at once.
const [open, close] = ['\uE000', '\uE001']

/** The document with as many rows in each table as fit into one comment. */
export function fittingMarkdown(render: (rows: number) => string): string {
  let text = ''
  for (const rows of rowSteps) {
    text = finished(render(rows))
    if (text.length <= mostCharacters) return text
  }
  return shortenedDocument(text)
}

/** The first paragraphs, as many as fit, and the last one, which contains the digest. */
function shortenedDocument(text: string): string {
  const parts = text.split(/\n\n(?=#|<details>|\*\*|>|Plan )/)
  const last = parts.at(-1) ?? ''
  const note = 'The rest does not fit into a comment. `crossbill show FILE` prints all of it.'
  let kept = ''
  for (const part of parts.slice(0, -1)) {
    if (kept.length + part.length + note.length + last.length + 10 > mostCharacters) break
    kept += `${part}\n\n`
  }
  return `${kept}${note}\n\n${last.slice(-2_000)}`
}

/**
 * Escapes names and messages, which contain foreign text, so that none of it becomes HTML, a link,
 * a picture or a mention that notifies people.
 */
export function prose(text: string): string {
  return dated(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll(/\uE000[^\uE001]*\uE001|\]\(|@(?=\w)/g, (found) =>
      found === '](' ? ']\\(' : found === '@' ? '@<!-- -->' : found,
    )
}

/**
 * Code as Markdown: between backticks, or as HTML when the text contains characters that backticks
 * would show as entities.
 */
function finished(text: string): string {
  return text.replaceAll(/\uE000([^\uE001]*)\uE001/g, (_all, inside: string) =>
    inside.includes('&') ? `<code>${inside}</code>` : `\`${inside}\``,
  )
}

/**
 * A table with a title; empty without rows. `text` is between title and table. `all` is the total
 * number when `rows` are only some of them. A folded table opens when its title is clicked.
 */
export function markdownTable(
  title: string,
  heads: readonly string[],
  rows: readonly (readonly string[])[],
  {
    limit,
    text = '',
    all = rows.length,
    folded = false,
  }: { readonly limit: number; readonly text?: string; readonly all?: number; readonly folded?: boolean },
): string {
  if (rows.length === 0) return ''
  const { shown } = firstFew(rows, limit)
  const more = all - shown.length
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`
  const body = [
    ...(text === '' ? [] : [prose(text), '']),
    line(heads),
    line(heads.map(() => '---')),
    ...shown.map(line),
    ...(more === 0 ? [] : ['', `… and ${more} more (\`--format json\` lists all).`]),
  ]
  return folded
    ? ['<details>', `<summary>${prose(title)}</summary>`, '', ...body, '', '</details>'].join('\n')
    : [`### ${prose(title)}`, '', ...body].join('\n')
}

function cell(text: string): string {
  const plain = text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ')
  if (plain.length <= cellCharacters) return prose(plain)
  const cut = plain.slice(0, cellCharacters)
  // Closes code that the cut left open.
  return prose(`${cut}…${cut.lastIndexOf(open) > cut.lastIndexOf(close) ? close : ''}`)
}

/** Marks text as code, for a document that `fittingMarkdown` finishes. */
export function code(text: string): string {
  return `${open}${text.replaceAll(/[\uE000\uE001]/g, '').replaceAll('`', "'")}${close}`
}
