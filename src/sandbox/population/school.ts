// The school: two old accounts that look like years of life, the same for the same seed. Built by living it: members sign up through the
// API's own handlers at their instants, and the clock plays what follows.
import { type Instant, instant } from '../../core/instant.ts'
import { siteOf } from '../kajabi/module.ts'
import type { World } from '../kernel/world.ts'
import { type Enrolled, type School, enrol } from './enrolling.ts'
import { happenings } from './happenings.ts'
import { openSchoolSite, seedContacts } from './kajabi.ts'
import { Maker } from './maker.ts'
import { type MemberPlan, type Oddity, planMembers } from './members.ts'
import type { OldAccount } from './offerings.ts'
import { openOldBusiness } from './old-business.ts'
import { Storefront } from './storefront.ts'

export interface SchoolOptions {
  readonly subscribers: number
  /** The instant the world is to stand at in the end; it must stand early enough for every member's start. */
  readonly clock: Instant
  /** Old checkout links that still sell, an old integration that revokes access. Default false. */
  readonly surprises?: boolean
}

/** Seven years cover the longest subscription and its first period. */
export const historySeconds = 7 * 366 * 86_400

/** Fills a world whose clock stands `historySeconds` before `clock`, and leaves it at `clock`. */
export function buildSchool(world: World, options: SchoolOptions): Enrolled[] {
  const { clock, subscribers } = options
  const kept = world.keepEvents
  world.keepEvents = false
  const maker = new Maker(world)
  const shops: Record<OldAccount, Storefront> = { us: new Storefront(maker, 'us'), intl: new Storefront(maker, 'intl') }
  const plans = planMembers(world.seed, subscribers, clock).map((plan) => possible(maker, plan))
  const school: School = {
    maker,
    seed: world.seed,
    clock,
    plans,
    shared: new Set(plans.flatMap((plan) => plan.customerOf ?? [])),
    shop: (plan) => shops[plan.account],
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
  openOldBusiness(school, { subscribers, surprises: options.surprises ?? false })
  world.keepEvents = kept
  world.commit()
  return [...school.enrolled.values()]
}

/** An oddity whose part of Stripe this world does not have is left out. */
function possible(maker: Maker, plan: MemberPlan): MemberPlan {
  const needs: Partial<Record<Oddity, string>> = {
    schedule: '/v1/subscription_schedules',
    pending_item: '/v1/invoiceitems',
    draft_invoice: '/v1/invoices',
    metered: '/v1/billing/meters',
  }
  const path = plan.oddity === undefined ? undefined : needs[plan.oddity]
  return path === undefined || maker.knows(path) ? plan : { ...plan, oddity: undefined }
}

interface Scene {
  readonly at: Instant
  readonly run: () => void
}

/** Everybody's sign-up and what came after it, in the order of time. */
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
