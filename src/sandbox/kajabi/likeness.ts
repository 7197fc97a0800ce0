/**
 * The site's fuzzy search finds addresses with the same key together: digits, dots, `+` suffixes
 * and the domain do not count.
 */
export function similarity(email: string): string {
  const local = email.split('@')[0] ?? ''
  return (local.split('+')[0] ?? '').replaceAll(/[^a-z]/g, '')
}
