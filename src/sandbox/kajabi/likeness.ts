/**
 * Addresses with the same likeness are found together by the site's fuzzy search: numbers, dots,
 * tags and the domain do not count.
 */
export function similarity(email: string): string {
  const local = email.split('@')[0] ?? ''
  return (local.split('+')[0] ?? '').replaceAll(/[^a-z]/g, '')
}
