import type { Context } from '../../src/engine/context.ts'
import type { Plan } from '../../src/plan/types.ts'
import { sidesOf } from './ground.ts'
import { changeable } from './life.ts'
import type { BothWorlds, Member } from './world.ts'

/** A plan that was saved for review, and the state of the accounts then. */
export interface Saved {
  readonly text: string
  readonly at: number
  readonly catalog: string
  readonly store: string
  readonly people: string
  readonly access: string
}

/** Everything that a saved plan is bound to, in the rows of the worlds. */
export async function standing(worlds: BothWorlds, plan: Plan, context: Context): Promise<Omit<Saved, 'text' | 'at'>> {
  const people = worlds.members.filter(({ key }) => plan.changes.some(({ address }) => address === `subscriber.${key}`))
  return {
    catalog: context.catalog.digest,
    store: JSON.stringify(await context.store.version()),
    people: JSON.stringify(people.map((one) => standingOf(worlds, one))),
    access: JSON.stringify(plan.changes.filter(({ address }) => address.startsWith('access.')).length),
  }
}

function standingOf(worlds: BothWorlds, member: Member): unknown {
  const { old, successors } = sidesOf(worlds, member)
  const seen = [old, ...successors].filter((row) => row !== undefined)
  return seen.map(({ status, pause_collection: pause, discounts, ...row }) => [
    status,
    pause,
    discounts,
    changeable(worlds, member, { ...row, status, pause_collection: pause, discounts }),
  ])
}
