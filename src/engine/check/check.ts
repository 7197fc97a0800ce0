import { targetAccount, type Catalog } from '../../catalog/types.ts'
import { violations } from '../../handover/violation-codes.ts'
import { exchangedAccounts } from '../../live/exchanged.ts'
import { idOf } from '../../core/reference.ts'
import { isUnmarked } from '../../handover/unmarked.ts'
import { leftOutBlocked } from '../../plan/left-out.ts'
import type { Context } from '../context.ts'
import type { Survey } from '../plan/survey.ts'
import { productKeys, samePersonTwice } from './same-person.ts'
import { isHeld } from '../../live/subscription.ts'
import { unpaidPeriods } from './catch-up.ts'
import { moneyLeftBehind } from './left-behind.ts'
import { sidesOf, type Sides } from './sides.ts'
import { stoppedCollections } from './collection.ts'
import { stuckDrafts } from './drafts.ts'
import { subscriberRules, violationCodes, type RuleInput, type Violation } from './violations.ts'

/** Applies every rule to every subscriber, in the order of the codes. Pure. */
export function check(
  { catalog }: Pick<Context, 'catalog'>,
  { live, classified, input, known }: Pick<Survey, 'live' | 'classified' | 'input' | 'known'>,
): readonly Violation[] {
  const drift = new Map(classified.map((one) => [one.key, one.drift]))
  const copied = new Set(
    [...input.copyMaps.values()].flatMap(({ payments }) => [...payments.values()].map(({ id }) => id)),
  )
  const blocked = new Map(classified.flatMap((one) => (one.outcome === 'blocked' ? [[one.key, one.reasons]] : [])))
  const { copyMaps, now } = input
  const unmarked = Map.groupBy(live.target.subscriptions.filter(isUnmarked), ({ customer }) => idOf(customer))
  const inTarget = new Map(live.target.subscriptions.map((one) => [one.id, one]))
  const ruleInput: RuleInput = { live, catalog, now, drift, blocked, copyMaps, copied, unmarked, inTarget }
  const all = sidesOf(live, catalog.subscribers, catalog.project.name)
  // A subscriber who was moved and then excluded still has two accounts that could charge.
  const watched = all.filter(isWatched)
  const found = watched.flatMap((sides) =>
    violationCodes.flatMap((code) => {
      const violation = subscriberRules[code]?.(sides, ruleInput)
      return violation === undefined ? [] : [{ code, subscriber: sides.key, ...violation }]
    }),
  )
  const included = all.filter(({ declared }) => declared?.excluded === undefined)
  const everything = [
    ...found,
    ...invalidEntries(catalog),
    ...ofOtherProjects(classified),
    ...exchanged(live, catalog.project.name),
    ...stuckDrafts(live, ruleInput.now),
    ...moneyLeftBehind(live, watched, drift),
    ...stoppedCollections(live),
    ...unpaidPeriods(live, now),
    ...samePersonTwice(live, included, productKeys(catalog, known)),
  ]
  const order = (one: Violation): number => violationCodes.indexOf(one.code)
  return everything.toSorted((a, b) => order(a) - order(b))
}

/** Moved subscribers of this project's entries whose marks name another project. */
function ofOtherProjects(classified: Survey['classified']): readonly Violation[] {
  return classified.flatMap((one) =>
    one.outcome !== 'blocked'
      ? []
      : one.reasons
          .filter(({ code }) => code === 'other_project')
          .map(({ message, fix }) => ({ code: 'other_project' as const, subscriber: one.key, detail: message, fix })),
  )
}

/** Accounts that have the wrong role in project.yaml. */
function exchanged(live: Survey['live'], project: string): readonly Violation[] {
  return exchangedAccounts(live, project).map(({ account, id, objects }) => ({
    code: 'accounts_exchanged' as const,
    subscriber: `${account}/${id}`,
    detail: `${objects} object(s) of ${id} carry marks that Crossbill sets only in ${account === targetAccount ? 'a source' : 'the target'}`,
    fix: violations.accounts_exchanged.fix,
  }))
}

/** Entries that could not be checked because they are invalid. */
function invalidEntries(catalog: Pick<Catalog, 'leftOut'>): readonly Violation[] {
  return leftOutBlocked(catalog).map(({ address, code, message, fix }) => ({
    code,
    subscriber: address.replace(/^subscriber\./, ''),
    detail: message,
    fix,
  }))
}

function isWatched({ declared, alive, old, movedBy }: Sides): boolean {
  if (movedBy !== undefined) return false
  return declared?.excluded === undefined || alive.length > 0 || isHeld(old)
}
