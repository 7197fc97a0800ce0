export const exitCodes = {
  fine: 0,
  error: 1,
  /** The command found something: changes, drift, violations. */
  found: 2,
  interrupted: 130,
} as const
