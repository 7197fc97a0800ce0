/** How often each event occurred, by name. */
export type Counts = Readonly<Record<string, number>>
