/**
 * Seeds that once broke a promise, by a fault of the story or of the product; each stays here. `npm
 * test` runs the cheap ones, `npm run simulate -- --known` all of them.
 */
export const knownSeeds: Readonly<Record<number, string>> = {
  113: 'a lone settle, and an item added as the last thing before the end',
  1_117: 'a lone revert of a clean run',
  3_274: 'the dunning of one subscription ended that of its sibling, in one of two accounts',
  5_045: 'a store that was lost while an entry was not in the YAML',
  6_020: 'an item added to a held subscription before the end',
  6_232: 'a revert stopped the collection of the invoice of the sibling subscription',
  6_234: 'a cancel tag that was removed and set again between two looks at Kajabi',
  8_291: 'the dunning of one subscription ended that of its sibling, in one of two accounts',
  15_107: 'a refused card, changed and carried to the other account',
  30_004: 'a new card given at the held old subscription while the old card was refused',
  910_043: 'a store that was lost while an entry was not in the YAML',
}

/** The seeds that `npm test` runs, with the rarer people and events. */
export const cheapSeeds: readonly number[] = [113, 1_117, 6_020, 6_232, 6_234]
