/** Rewrites the commands in a message so that the user can paste them in the current folder. */
export type Hints = (text: string) => string

/** The word, quoted for a POSIX shell. */
export function shellQuoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
