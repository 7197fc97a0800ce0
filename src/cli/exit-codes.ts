export const exitCodes = {
  fine: 0,
  error: 1,
  /** There is something to see: changes, drift, violations. */
  found: 2,
  interrupted: 130,
} as const
