/** How often everything occurred, by name. */
export type Counts = Readonly<Record<string, number>>
