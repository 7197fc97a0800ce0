import type { ReferenceTable } from './references.ts'
import type { Verdict } from './judged.ts'

/**
 * An object that refers to a blocked object is blocked with it: a promotion code must not use a
 * foreign coupon only because the id matches. An object of this project that merely cannot be
 * changed can still be used.
 */
export function blockDependents(verdicts: readonly Verdict[], references: ReferenceTable): readonly Verdict[] {
  const settled = new Map(verdicts.map((verdict) => [verdict.resource.address, verdict]))
  const unusable = new Set(
    verdicts.flatMap(({ takes, identity, resource }) =>
      takes === 'blocked' && identity.is !== 'ours' ? [resource.address] : [],
    ),
  )
  // Each round blocks the users of what the previous round blocked; kinds refer to each other only
  // a few levels deep.
  for (let found = true; found;) {
    found = false
    for (const verdict of settled.values()) {
      const by = blockedBy(verdict, unusable)
      if (by === undefined) continue
      const { address } = verdict.resource
      references.keep(address)
      unusable.add(address)
      const message = `it refers to ${by}, which is blocked`
      const blocked = [
        ...verdict.blocked,
        { address, code: 'reference_blocked', message, fix: `fix ${by} first` } as const,
      ]
      settled.set(address, { ...verdict, takes: 'blocked', blocked })
      found = true
    }
  }
  return [...settled.values()]
}

function blockedBy({ kind, resource, takes, differences }: Verdict, unusable: ReadonlySet<string>): string | undefined {
  if (takes === 'nothing' || takes === 'blocked') return undefined
  const uses = kind.uses(resource.value).filter(({ path }) => {
    const field = String(path[0])
    // The steps of the price set the default price of a new product; a blocked price has no steps.
    if (takes === 'create' && field === 'default_price') return false
    return takes !== 'update' || differences.some((one) => one.field === field)
  })
  const use = uses.find((one) => unusable.has(`${one.kind}.${one.key}`))
  return use === undefined ? undefined : `${use.kind}.${use.key}`
}
