import { givesAccess, successorMark } from '../../live/subscription.ts'
import type { DesiredSubscriber } from '../../catalog/types.ts'
import type { Instant } from '../../core/instant.ts'
import type { JsonObject, StripeObject } from '../../core/json.ts'
import type { CopyMapRow } from '../ports.ts'
import { listAll } from '../read/lists.ts'
import { chance } from './chance.ts'
import type { RehearsalService } from './service.ts'
import type { RehearsalWorld } from './world.ts'

/** What a member does by themselves, whichever account bills them. */
export type MemberAct =
  | 'cancels in Kajabi'
  | 'cancels in the portal'
  | 'cancels by an old link'
  | 'lets it run out'
  | 'has a card that is refused'

/**
 * Share of the members who do something in a week: about two in a hundred a month leave. A small
 * school is livelier, or a rehearsal of it would see nothing.
 */
const weeklyShare = 0.008
const actsAWeekAtLeast = 0.7

const acts: readonly MemberAct[] = [
  'cancels in Kajabi',
  'cancels in the portal',
  'cancels by an old link',
  'lets it run out',
  'has a card that is refused',
  'has a card that is refused',
]

/** Who does what in a week: the same for the same seed. */
export function actsOfWeek(
  subscribers: readonly DesiredSubscriber[],
  about: { readonly seed: number; readonly week: number },
): readonly { readonly subscriber: DesiredSubscriber; readonly act: MemberAct }[] {
  const share = Math.max(weeklyShare, actsAWeekAtLeast / subscribers.length)
  return subscribers.flatMap((subscriber) => {
    const named = `${subscriber.key} ${about.week}`
    if (chance(about.seed, named) >= share) return []
    const act = acts[Math.floor(chance(about.seed, `${named} what`) * acts.length)]
    return act === undefined ? [] : [{ subscriber, act }]
  })
}

interface Refused {
  readonly until: number
  readonly methods: readonly { readonly world: RehearsalWorld; readonly account: string; readonly id: string }[]
}

/**
 * A refused card works again after one to this many weeks: dunning ends well for some, and for
 * others it does not.
 */
const refusedWeeksMax = 3

export interface MembersOptions {
  readonly stay: RehearsalWorld
  readonly move: RehearsalWorld
  readonly service: RehearsalService
  readonly copied: readonly Omit<CopyMapRow, 'importedAt'>[]
  readonly seed: number
}

/**
 * Lets members act in both worlds at the same second. In the one in which nobody migrates they do
 * it where they always did.
 */
export class Members {
  /** How often each act was done. */
  readonly counts = new Map<MemberAct, number>()
  /**
   * By subscriber: who left, when and how. Whoever lets it run out leaves at the end of the period,
   * which the charges tell.
   */
  readonly left = new Map<string, { readonly act: MemberAct; readonly at: Instant }>()
  private refused: Refused[] = []
  private readonly options: MembersOptions
  private readonly newCustomers: ReadonlyMap<string, string>

  constructor(options: MembersOptions) {
    this.options = options
    this.newCustomers = new Map(
      options.copied.map(({ source, customerOld, customerNew }) => [`${source}/${customerOld}`, customerNew]),
    )
  }

  async live(week: number): Promise<void> {
    const { move, seed } = this.options
    await this.acceptAgain(week)
    for (const { subscriber, act } of actsOfWeek(move.context.catalog.subscribers, { seed, week })) {
      const standing = await this.standingOf(subscriber)
      if (standing === undefined || !(await this.act(act, standing, week))) continue
      this.counts.set(act, (this.counts.get(act) ?? 0) + 1)
      if (act !== 'has a card that is refused') this.left.set(subscriber.key, { act, at: move.accounts.target.now() })
    }
  }

  /**
   * Undefined for somebody who would not be billed any more if nobody had migrated: they have
   * nothing left to do.
   */
  private async standingOf(subscriber: DesiredSubscriber): Promise<Standing | undefined> {
    const { stay, move } = this.options
    const expected = await find(stay, subscriber)
    if (expected === undefined || !givesAccess(expected)) return undefined
    const old = await find(move, subscriber)
    const customer = this.newCustomers.get(`${subscriber.source}/${subscriber.customer}`)
    const theirs =
      customer === undefined
        ? []
        : await listAll(move.accounts.target, '/v1/subscriptions', { customer, status: 'all' })
    const successor = theirs.find((one) => successorMark(one) === subscriber.key && givesAccess(one))
    return { subscriber, expected, oldLives: old !== undefined && givesAccess(old), successor: successor?.id }
  }

  /** False when it could not be done: the subscription is not of a kind that allows it. */
  private async act(act: MemberAct, standing: Standing, week: number): Promise<boolean> {
    const { stay, move, service } = this.options
    const { subscriber, expected, oldLives, successor } = standing
    const { source, subscription, key } = subscriber
    const asBefore = (what: JsonObject): Promise<JsonObject> => stay.act(source, { ...what, subscription })
    const old = { account: source, subscription }
    const billing = successor === undefined ? old : { account: 'target', subscription: successor }
    const inTheOther = ({ account, subscription: id }: typeof old, what: JsonObject): Promise<JsonObject> =>
      move.act(account, { ...what, subscription: id })
    const now = { act: 'cancel', when: 'now' }
    switch (act) {
      case 'cancels in Kajabi':
        await asBefore(now)
        await service.cancel(key, 'in Kajabi')
        return true
      case 'cancels in the portal':
        await asBefore(now)
        if (successor !== undefined || oldLives) await inTheOther(billing, now)
        return true
      case 'cancels by an old link':
        if (!oldLives) return false
        await asBefore(now)
        await inTheOther(old, now)
        if (successor !== undefined) await service.cancel(key, 'from the old account')
        return true
      case 'lets it run out': {
        // Whoever ends already has nothing to say, and a schedule decides for itself.
        const ends = (expected['cancel_at'] ?? null) !== null || expected['cancel_at_period_end'] === true
        if (ends || (expected['schedule'] ?? null) !== null || (successor === undefined && !oldLives)) return false
        const what = { act: 'cancel', when: 'period_end' }
        await asBefore(what)
        await inTheOther(billing, what)
        return true
      }
      case 'has a card that is refused':
        return await this.refuse(subscriber, week)
    }
  }

  /** The bank refuses the card, whoever charges it: the old one's copy in the target as well. */
  private async refuse(subscriber: DesiredSubscriber, week: number): Promise<boolean> {
    const { stay, move, copied, seed } = this.options
    const { source, subscription, collection_method: collection, payment_method: declared } = subscriber
    if (collection !== 'charge_automatically' || declared === undefined) return false
    const { payment_method: id } = await stay.act(source, { act: 'decline_card', subscription })
    if (typeof id !== 'string') return false
    const copies = copied.filter((row) => row.source === source && row.sourceOld === id)
    const methods = [
      { world: stay, account: source, id },
      { world: move, account: source, id },
      ...copies.map(({ sourceNew }) => ({ world: move, account: 'target', id: sourceNew })),
    ]
    for (const { world, account, id: one } of methods)
      await world.act(account, { act: 'decline_card', payment_method: one })
    const weeks = 1 + Math.floor(chance(seed, `${subscriber.key} ${week} refused`) * refusedWeeksMax)
    this.refused.push({ until: week + weeks, methods })
    return true
  }

  private async acceptAgain(week: number): Promise<void> {
    const over = this.refused.filter(({ until }) => until <= week)
    this.refused = this.refused.filter(({ until }) => until > week)
    for (const { methods } of over)
      for (const { world, account, id } of methods) await world.act(account, { act: 'accept_card', payment_method: id })
  }
}

interface Standing {
  readonly subscriber: DesiredSubscriber
  /** The subscription in the world in which nobody migrates. */
  readonly expected: StripeObject
  readonly oldLives: boolean
  /** The living one in the target, if there is one. */
  readonly successor: string | undefined
}

async function find(world: RehearsalWorld, { source, customer, subscription }: DesiredSubscriber) {
  const account = world.accounts.sources.get(source)
  if (account === undefined) return undefined
  const theirs = await listAll(account, '/v1/subscriptions', { customer, status: 'all' })
  return theirs.find(({ id }) => id === subscription)
}
