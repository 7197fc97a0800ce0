import type { RowStanding } from '../../../assumptions/standing.ts'
import type { Section } from '../document.ts'

const answers: Readonly<Record<RowStanding['status'], string>> = {
  confirmed: 'confirmed',
  otherwise: 'confirmed otherwise',
  unexpected: 'UNEXPECTED',
  open: 'never confirmed',
  by_hand: 'never confirmed; only a person can',
}

/** The questions that the documents leave open, with what a test account answered. */
export function questionsSection(standing: readonly RowStanding[]): Section {
  const open = standing.filter(({ status }) => status === 'open' || status === 'by_hand').length
  return {
    heading: `Questions that the documents leave open (${standing.length}, ${open} never confirmed)`,
    table: {
      heads: ['row', 'question', 'answer', 'people', 'what it means'],
      rows: standing.map(({ row, asks, status, reading, people, consequence, side }) => [
        String(row),
        asks,
        `${answers[status]}${reading === undefined ? '' : ` (${reading})`}`,
        String(people),
        consequence ?? side,
      ]),
    },
  }
}
