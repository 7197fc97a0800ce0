// What a test account answered, as `crossbill confirm` wrote it: state/confirmed.json.
import Type from 'typebox'
import { orNull, schemaOf, text, whole } from '../core/exact-schema.ts'
import { parserOf } from '../core/parser.ts'

/** One answer to a case. */
export interface RecordedAnswer {
  readonly case: string
  /** Row of docs/to-confirm.md; null for documented behaviour. */
  readonly row: number | null
  /** `different`: otherwise than assumed; `not_asked`: the account does not offer it. */
  readonly verdict: 'as_assumed' | 'different' | 'not_asked' | 'failed'
  /** The reading of the row that the answer shows; null when it shows none. */
  readonly reading: string | null
  /** The answer of the account, or the reason for none. Null when it is as assumed. */
  readonly seen: string | null
}

export interface Confirmed {
  readonly format: 1
  readonly tool: string
  readonly at: string
  readonly account: string
  readonly api_version: string
  readonly answers: readonly RecordedAnswer[]
}

const verdicts: readonly RecordedAnswer['verdict'][] = ['as_assumed', 'different', 'not_asked', 'failed']

export const confirmedSchema = schemaOf<Confirmed>()(
  Type.Object({
    format: Type.Literal(1),
    tool: text,
    at: text,
    account: text,
    api_version: text,
    answers: Type.Array(
      Type.Object({
        case: text,
        row: orNull(whole),
        verdict: Type.Unsafe<RecordedAnswer['verdict']>({ type: 'string', enum: [...verdicts] }),
        reading: orNull(text),
        seen: orNull(text),
      }),
    ),
  }),
)

export const parseConfirmed = parserOf<Confirmed>(confirmedSchema)
