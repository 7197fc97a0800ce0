// What is known of each question, and what that means for the people of this project.
import type { Catalog } from '../catalog/types.ts'
import { concerned } from './concerns.ts'
import { assumedReading, question, rows, type Row } from './questions.ts'
import type { Confirmed, RecordedAnswer } from './record.ts'

/** What the project knows of the answers: the record, or the reason for none. */
export type Knowledge = { readonly record: Confirmed } | { readonly missing: true } | { readonly problem: string }

export interface RowStanding {
  readonly row: Row
  readonly asks: string
  readonly side: string
  /**
   * `confirmed`: as assumed. `otherwise`: another answer that the documents allow. `unexpected`: an
   * answer that no document suggests. `open`: nobody asked. `by_hand`: only a person can ask.
   */
  readonly status: 'confirmed' | 'otherwise' | 'unexpected' | 'open' | 'by_hand'
  readonly reading?: string
  /** What the answer means: `14 subscribers have discounts. …` */
  readonly consequence?: string
  readonly people: number
}

export function standingOf(knowledge: Knowledge, catalog: Catalog): readonly RowStanding[] {
  const answers = 'record' in knowledge ? knowledge.record.answers : []
  return rows.map((row) => {
    const { asks, side, concerns, readings, byHand } = question(row)
    const { count, text } = concerned(concerns, catalog)
    const about = { row, asks, side, people: count }
    if (readings === undefined || byHand !== undefined) return { ...about, status: 'by_hand' }
    const answer = answers.find((one) => one.row === row)
    if (answer === undefined || answer.verdict === 'not_asked' || answer.verdict === 'failed')
      return { ...about, status: 'open' }
    if (answer.verdict === 'as_assumed') return { ...about, status: 'confirmed', ...shown(answer) }
    const meaning = answer.reading === null ? undefined : readings[answer.reading]
    const whom = count === 0 ? '' : `${text}. `
    return meaning === undefined
      ? {
          ...about,
          status: 'unexpected',
          consequence: `${whom}The account answers ${answer.seen ?? 'otherwise'}, which no document suggests (assumed: ${assumedReading(row)}).`,
        }
      : { ...about, status: 'otherwise', ...shown(answer), consequence: `${whom}${meaning}` }
  })
}

function shown({ reading }: RecordedAnswer): { readonly reading?: string } {
  return reading === null ? {} : { reading }
}

/** Documented behaviour on which Crossbill relies and which the account does not show. */
export function brokenPromises(knowledge: Knowledge): readonly RecordedAnswer[] {
  if (!('record' in knowledge)) return []
  return knowledge.record.answers.filter(({ row, verdict }) => row === null && verdict === 'different')
}
