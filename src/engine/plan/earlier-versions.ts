import type { Catalog } from '../../catalog/types.ts'
import { address, splitAddress } from '../../core/address.ts'
import { isJsonObject, type StripeObject } from '../../core/json.ts'
import type { Live } from '../../live/accounts.ts'
import { markAddress, markFormer, markFrom, markProject } from '../../live/marks.ts'
import { isOver } from '../../live/subscription.ts'
import { peopleIn } from '../../plan/resources/people.ts'
import type { Notice } from '../../plan/types.ts'

const namedMax = 5

/**
 * Subscribers whose tax rate or coupon has been replaced, or will be by this plan, and who keep the
 * earlier one: Stripe changes neither, so each replacement leaves its users behind unless the entry
 * says otherwise.
 */
export function earlierVersions(
  { project }: Pick<Catalog, 'project'>,
  { target, resources }: Pick<Live, 'target' | 'resources'>,
  planned: readonly { readonly address: string; readonly action: string; readonly people: number }[] = [],
): readonly Notice[] {
  const { using } = peopleIn(target.subscriptions, target.now)
  const replaced = new Set(
    planned.flatMap((one) => (one.action === 'replace' && one.people === 0 ? [one.address] : [])),
  )
  const keys = new Map(
    target.subscriptions
      .filter((one) => !isOver(one))
      .map(({ id, metadata }) => [id, metadata[markFrom] ?? `target/${id}`]),
  )
  return ['tax_rate', 'coupon'].flatMap((kind) =>
    (resources.get(kind) ?? []).flatMap((object): Notice[] => {
      const of = versionOf(object, project.name)
      const people = [...(using.get(object.id ?? '') ?? [])].map((id) => keys.get(id) ?? id).toSorted()
      if (of === undefined || splitAddress(of.address).kind !== kind || people.length === 0) return []
      if (!of.isFormer && !replaced.has(of.address)) return []
      const { key } = splitAddress(of.address)
      const who = people.slice(0, namedMax).join(', ')
      const more = people.length > namedMax ? ` and ${people.length - namedMax} more` : ''
      const keep = people.length === 1 ? '1 subscription keeps' : `${people.length} subscriptions keep`
      return [
        {
          code: 'earlier_version',
          subscriber: address(kind, key),
          at: null,
          message: `${keep} ${object.id ?? ''}${termsOf(object)}, which the entry does not describe any more: ${who}${more}`,
          fix: fixes[kind] ?? '',
        },
      ]
    }),
  )
}

const fixes: Readonly<Record<string, string>> = {
  tax_rate:
    'nothing to do if they should keep it; a change with on_change: at_renewal takes the subscribers of the present rate along; give the others the new rate in the Dashboard of the target',
  coupon: 'nothing to do: a discount keeps the terms that its member was given',
}

/** The address that an object stands for, or stood for until it was replaced. */
function versionOf(
  { metadata }: StripeObject,
  project: string,
): { readonly address: string; readonly isFormer: boolean } | undefined {
  if (!isJsonObject(metadata) || metadata[markProject] !== project) return undefined
  const { [markAddress]: present, [markFormer]: former } = metadata
  if (typeof present === 'string') return { address: present, isFormer: false }
  return typeof former === 'string' ? { address: former, isFormer: true } : undefined
}

function termsOf(object: StripeObject): string {
  const percent = object['percentage'] ?? object['percent_off']
  return typeof percent === 'number' ? ` (${percent} %)` : ''
}
