// What a test account answered, as `crossbill confirm` wrote it: state/confirmed.json.
import Type from 'typebox'
import { schemaOf } from '../core/exact-schema.ts'
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

const said = (description: string) => Type.String({ description })

export const confirmedSchema = schemaOf<Confirmed>()(
  Type.Object({
    format: Type.Literal(1, { description: 'Version of this format.' }),
    tool: said('The program that asked, with its version.'),
    at: said('When the account was asked.'),
    account: said('The test account, `acct_…`.'),
    api_version: said('The API version in which it was asked.'),
    answers: Type.Array(
      Type.Object({
        case: said('What was expected, as docs/stripe-cases.md names it.'),
        row: Type.Union([Type.Integer(), Type.Null()], {
          description: 'Row of docs/to-confirm.md; null for documented behaviour.',
        }),
        verdict: Type.Union(
          [Type.Literal('as_assumed'), Type.Literal('different'), Type.Literal('not_asked'), Type.Literal('failed')],
          { description: 'How the answer compares with the expectation.' },
        ),
        reading: Type.Union([Type.String(), Type.Null()], {
          description: 'The reading of the row that the answer shows; null when it shows none.',
        }),
        seen: Type.Union([Type.String(), Type.Null()], {
          description: 'The answer, or the reason for none; null when it is as assumed.',
        }),
      }),
      { description: 'One answer for each case.' },
    ),
  }),
)

export const parseConfirmed = parserOf<Confirmed>(confirmedSchema)
