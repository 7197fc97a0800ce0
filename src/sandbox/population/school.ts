// The school: two old accounts with a plausible history of years, the same for the same seed.
// Members sign up through the handlers of the API at their instants, and the clock plays what
// follows.
import { present } from '../../core/assert.ts'
import { type Instant, instant } from '../../core/instant.ts'
import { siteOf } from '../kajabi/module.ts'
import type { World } from '../kernel/world.ts'
import { type Enrolled, type School, enrol } from './enrolling.ts'
import { happenings } from './happenings.ts'
import { openSchoolSite, seedContacts } from './kajabi.ts'
import { Maker } from './maker.ts'
import { type MemberPlan, planMembers } from './members.ts'
import { oldAccounts } from './offerings.ts'
import { openDoors } from './old-doors.ts'
import { startOutsidePlan } from './outside-plans.ts'
import { Storefront } from './storefront.ts'

export interface SchoolOptions {
  readonly subscribers: number
  /**
   * The instant of the finished world. The world must begin early enough for every member's
   * start.
   */
  readonly clock: Instant
  /** The forgotten links continue to sell. Default false. */
  readonly surprises?: boolean
}

/** Seven years cover the longest subscription and its first period. */
export const historySeconds = 7 * 366 * 86_400

/** Fills a world whose clock is `historySeconds` before `clock`, and leaves it at `clock`. */
export function buildSchool(world: World, options: SchoolOptions): Enrolled[] {
  const { clock, subscribers } = options
  const kept = world.keepEvents
  world.keepEvents = false
  const maker = new Maker(world)
  const accounts = oldAccounts.filter((name) => world.accounts.has(name))
  const shops = new Map(accounts.map((name) => [name, new Storefront(maker, name)]))
  const plans = planMembers(world.seed, { subscribers, clock, accounts })
  const school: School = {
    maker,
    seed: world.seed,
    clock,
    plans,
    shared: new Set(plans.flatMap((plan) => plan.customerOf ?? [])),
    shop: (plan) => present(shops.get(plan.account), plan.account),
    customers: new Map(),
    enrolled: new Map(),
  }
  for (const { at, run } of story(school, plans)) {
    world.play(at)
    run()
  }
  world.play(clock)
  const site = siteOf(world)
  openSchoolSite(site)
  seedContacts(site, world.seed, plans)
  if (subscribers >= 100) surround(school, options)
  world.keepEvents = kept
  world.commit()
  return [...school.enrolled.values()]
}

/**
 * What exists beside the subscriptions. A small school, which newcomers look at, has none of it.
 */
function surround(school: School, options: SchoolOptions): void {
  const { subscribers, surprises } = options
  const signups = surprises === true ? Math.max(1, Math.round(subscribers / 600)) : 0
  const accounts = oldAccounts.filter((name) => school.plans.some((plan) => plan.account === name))
  for (const account of accounts) openDoors(school, { account, signups })
  const [first] = accounts
  if (first === undefined) return
  for (let n = 0; n < Math.max(1, Math.round(subscribers * 0.006)); n++) startOutsidePlan(school, first, n)
}

interface Scene {
  readonly at: Instant
  readonly run: () => void
}

/** The sign-up of every member and the later steps, in the order of time. */
function story(school: School, plans: readonly MemberPlan[]): Scene[] {
  const scenes: Scene[] = []
  for (const plan of plans) {
    scenes.push({ at: plan.started, run: () => enrol(school, plan) })
    for (const { at, run } of happenings(school.seed, plan, school.clock))
      scenes.push({
        at: instant(Math.min(at, school.clock)),
        run: () => {
          const member = school.enrolled.get(plan.n)
          if (member !== undefined) run(school, member)
        },
      })
  }
  return scenes.toSorted((a, b) => a.at - b.at)
}
