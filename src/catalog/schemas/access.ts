import Type, { type Static } from 'typebox'
import { keyMark } from '../../kinds/schema.ts'
import { secretRefSchema } from '../secret-schema.ts'

const offer = Type.Object(
  {
    kajabi: Type.String({ pattern: '^[0-9]+$', description: 'The offer’s id in Kajabi.' }),
    prices: Type.Array(Type.String({ $comment: `${keyMark}prices`, description: 'A key of `prices`' }), {
      description: 'Keys in prices.yaml: a person who pays one of these prices has this offer.',
    }),
    cancel_tags: Type.Optional(
      Type.Array(Type.String({ pattern: '^[0-9]+$' }), {
        description:
          'Kajabi tag ids. Each requests the cancellation of the subscription that gives this offer. One tag belongs to one offer.',
      }),
    ),
    welcome_email: Type.Optional(
      Type.Boolean({
        description: 'Whether Kajabi sends its welcome e-mail when this offer is granted; false by default.',
      }),
    ),
    revoked_means: Type.Optional(
      Type.Union([Type.Literal('alert'), Type.Literal('cancel')], {
        description:
          'What happens when the offer disappears in Kajabi and Crossbill did not revoke it. `alert` by default, because a revoke in Kajabi is not a cancel.',
      }),
    ),
    day_limit: Type.Optional(
      Type.Integer({
        minimum: 1,
        description:
          'Days of access in Kajabi. An expiry looks like a revoke, so `revoked_means: cancel` is refused together with it.',
      }),
    ),
    urls: Type.Optional(
      Type.Object(
        { activate: secretRefSchema, deactivate: secretRefSchema },
        {
          additionalProperties: false,
          description: 'For sites without API access: the offer’s activation and deactivation URLs.',
        },
      ),
    ),
  },
  { additionalProperties: false },
)

/**
 * catalog/access.yaml: which price gives which Kajabi offer, and which tag requests its
 * cancellation.
 */
export const accessSchema = Type.Object(
  {
    offers: Type.Record(Type.String({ pattern: '^[a-z0-9][a-z0-9-]*$' }), offer),
    without_offer: Type.Optional(
      Type.Array(Type.String({ $comment: `${keyMark}prices`, description: 'A key of `prices`' }), {
        description: 'Keys in prices.yaml of prices that give no access on purpose.',
      }),
    ),
    forms: Type.Optional(
      Type.Record(
        Type.String({ pattern: '^[0-9]+$' }),
        Type.Object(
          { offer: Type.String({ $comment: `${keyMark}offers`, description: 'A key of `offers` in this file' }) },
          { additionalProperties: false },
        ),
        {
          description:
            'Kajabi form ids. A form accepts any e-mail address, so a submission only sends a confirmation link to that address.',
        },
      ),
    ),
  },
  { additionalProperties: false },
)

export type Access = Static<typeof accessSchema>
export type AccessOffer = Static<typeof offer>

type AccessRule = 'revoked-means-with-day-limit' | 'cancel-tag-twice' | 'unknown-reference'

/** Rules across several places of the file; each problem names the path that it concerns. */
export function accessProblems(access: Access): { path: string[]; rule: AccessRule; message: string; fix: string }[] {
  const problems: { path: string[]; rule: AccessRule; message: string; fix: string }[] = []
  const tags = new Map<string, string>()
  for (const [key, one] of Object.entries(access.offers)) {
    if (one.day_limit !== undefined && one.revoked_means === 'cancel')
      problems.push({
        path: ['offers', key, 'revoked_means'],
        rule: 'revoked-means-with-day-limit',
        message: `offer ${key} expires after ${one.day_limit} days, and an expiry looks like a revoke`,
        fix: 'use revoked_means: alert for offers with a day limit',
      })
    for (const tag of one.cancel_tags ?? []) {
      const other = tags.get(tag)
      if (other !== undefined)
        problems.push({
          path: ['offers', key, 'cancel_tags'],
          rule: 'cancel-tag-twice',
          message: `tag ${tag} already requests the cancellation of offer ${other}`,
          fix: 'give each offer its own cancel tag',
        })
      tags.set(tag, key)
    }
  }
  for (const [form, { offer: key }] of Object.entries(access.forms ?? {}))
    if (!Object.hasOwn(access.offers, key))
      problems.push({
        path: ['forms', form, 'offer'],
        rule: 'unknown-reference',
        message: `form ${form} names the offer ${key}, which access.yaml does not have`,
        fix: 'name a key of offers:',
      })
  return problems
}
