/** A bug of ours: never the user's input and never the outside's answer. Reaching one stops the program. */
export class Bug extends Error {
  override name = 'Bug'
}

export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Bug(message)
}

/** The value, which our own code has made sure is there. */
export function present<T>(value: T | undefined | null, what: string): T {
  if (value === undefined || value === null) throw new Bug(`missing ${what}`)
  return value
}

/** Makes a forgotten case of a union a compile error, and a loud stop should one arrive at run time after all. */
export function unreachable(value: never): never {
  throw new Bug(`unreachable case: ${JSON.stringify(value)}`)
}
