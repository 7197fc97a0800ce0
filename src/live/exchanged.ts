import type { LiveAccount, Live } from './accounts.ts'
import { markAddress, markFormer, markFrom, markProject } from './marks.ts'
import { readHold } from './source.ts'

/** An account that shows work which Crossbill does only in accounts of the other role. */
export interface Exchanged {
  readonly account: string
  readonly id: string
  /** Marked objects that belong to the other role. */
  readonly objects: number
}

/**
 * Accounts whose roles were exchanged in project.yaml after Crossbill had worked in them: a source
 * with catalog objects or new subscriptions of this project, or a target with subscriptions that
 * this project put on hold. The marks show it, so an empty store knows as well.
 */
export function exchangedAccounts(
  { target, sources }: Pick<Live, 'target' | 'sources'>,
  project: string,
): readonly Exchanged[] {
  const of = (account: LiveAccount, objects: number): readonly Exchanged[] =>
    objects === 0 ? [] : [{ account: account.name, id: account.id, objects }]
  return [
    ...of(target, heldIn(target, project)),
    ...[...sources.values()].flatMap((source) => of(source, madeIn(source, project))),
  ]
}

function heldIn({ subscriptions }: LiveAccount, project: string): number {
  return subscriptions.filter((one) => one.metadata[markFrom] === undefined && readHold(one)?.project === project)
    .length
}

function madeIn({ subscriptions, prices, coupons }: LiveAccount, project: string): number {
  const isMade = ({ metadata }: { readonly metadata: Readonly<Record<string, string>> | null }): boolean =>
    metadata?.[markProject] === project &&
    [markAddress, markFormer, markFrom].some((mark) => metadata[mark] !== undefined)
  return [...subscriptions, ...(prices?.values() ?? []), ...(coupons?.values() ?? [])].filter(isMade).length
}
