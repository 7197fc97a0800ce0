import type { RehearsalReport } from '../../engine/rehearse/report.ts'
import { plural } from '../render/words.ts'

/** What the run assumed of the members. */
export function assumedOf({ answering, declineRate = 0 }: RehearsalReport): readonly string[] {
  const cards =
    answering === undefined
      ? 'No member is asked for a card; --answering 0.8 lets four of five enter one.'
      : `${answering.entered} of ${plural(answering.asked, 'member')} who were asked entered a card (--answering ${answering.share}).`
  const refused =
    declineRate === 0
      ? 'No card is refused beyond what the accounts show; --declines 0.03 refuses three in a hundred.'
      : `The bank refuses ${declineRate * 100} % of the cards once, in both runs (--declines ${declineRate}).`
  return [cards, refused]
}
