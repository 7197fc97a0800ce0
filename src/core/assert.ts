/**
 * A bug in Crossbill: never the user's input and never an answer from outside. It stops the
 * program.
 */
export class Bug extends Error {
  override name = 'Bug'
}

/**
 * Whether an error is a bug of this program. A retry would repeat it, so it is never treated as a
 * state of an account.
 */
export function isBug(error: unknown): error is Error {
  return [Bug, TypeError, RangeError, ReferenceError, SyntaxError].some((kind) => error instanceof kind)
}

export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Bug(message)
}

/** The value, which the calling code guarantees to be present. */
export function present<T>(value: T | undefined | null, what: string): T {
  if (value === undefined || value === null) throw new Bug(`missing ${what}`)
  return value
}

/**
 * Makes a forgotten case of a union a compile error, and stops the program if one arrives at run
 * time.
 */
export function unreachable(value: never): never {
  throw new Bug(`unreachable case: ${JSON.stringify(value)}`)
}
