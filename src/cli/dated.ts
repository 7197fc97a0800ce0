/**
 * Instants that a message contains, in the form for people: `2026-12-31 09:15:00 UTC`. What is
 * between backquotes or quotes, or the value of a flag, is to be pasted, and stays.
 */
export function dated(text: string): string {
  if (!text.includes('T')) return text
  return text
    .split('`')
    .map((part, index) => (index % 2 === 1 ? part : part.replaceAll(instantInText, '$1 $2 UTC')))
    .join('`')
}

const instantInText = /(?<!["'\w/-]|--[\w-]+[ =])(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)Z(?!["'\w])/g
