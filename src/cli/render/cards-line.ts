import type { Plan } from '../../plan/types.ts'

/** `3 of 40 renewals after these moves will probably fail`; empty when none will. */
export function cardsLine(cards: Plan['cards']): string {
  return cards === undefined
    ? ''
    : `${cards.failing} of ${cards.renewals} renewals after these moves will probably fail`
}
