import type { ReferenceTable } from './references.ts'
import type { Verdict } from './judged.ts'

/**
 * What would be made of, or pointed at, an object that is blocked waits with it: a promotion code is not put on somebody else's coupon because that
 * happens to have the coupon's id. An object of ours that only cannot be changed can still be used as it is.
 */
export function blockDependents(verdicts: readonly Verdict[], references: ReferenceTable): readonly Verdict[] {
  const settled = new Map(verdicts.map((verdict) => [verdict.resource.address, verdict]))
  const unusable = new Set(
    verdicts.flatMap(({ takes, identity, resource }) =>
      takes === 'blocked' && identity.is !== 'ours' ? [resource.address] : [],
    ),
  )
  // Each round blocks the users of what the last one blocked; kinds use each other at most a few deep.
  for (let found = true; found;) {
    found = false
    for (const verdict of settled.values()) {
      const by = blockedBy(verdict, unusable)
      if (by === undefined) continue
      const { address } = verdict.resource
      references.keep(address)
      unusable.add(address)
      const message = `it uses ${by}, which is blocked`
      const blocked = [
        ...verdict.blocked,
        { address, code: 'reference_blocked', message, fix: `mend ${by} first` } as const,
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
    // A new product gets its default price by the price's own steps, which do not come if the price is blocked.
    if (takes === 'create' && field === 'default_price') return false
    return takes !== 'update' || differences.some((one) => one.field === field)
  })
  const use = uses.find((one) => unusable.has(`${one.kind}.${one.key}`))
  return use === undefined ? undefined : `${use.kind}.${use.key}`
}
