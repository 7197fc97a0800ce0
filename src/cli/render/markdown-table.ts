import { firstFew } from './words.ts'

const rowsShown = 50

/** A titled table; empty without rows. */
export function markdownTable(title: string, heads: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return ''
  const { shown, more } = firstFew(rows, rowsShown)
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`
  return [
    `### ${title}`,
    '',
    line(heads),
    line(heads.map(() => '---')),
    ...shown.map(line),
    ...(more === 0 ? [] : ['', `… and ${more} more.`]),
  ].join('\n')
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ')
}

export function code(text: string): string {
  return `\`${text.replaceAll('`', "'")}\``
}
