import { givesAccess, successorMark } from '../../live/subscription.ts'
import type { DesiredSubscriber } from '../../catalog/types.ts'
import type { Instant } from '../../core/instant.ts'
import type { JsonObject, StripeObject } from '../../core/json.ts'
import type { CopyMapRow } from '../ports.ts'
import { listAll } from '../read/lists.ts'
import { chance } from './chance.ts'
import type { RehearsalService } from './service.ts'
import type { RehearsalWorld } from './world.ts'

/** What a member does on their own, whichever account bills them. */
export type MemberAct =
  | 'cancels in Kajabi'
  | 'cancels in the portal'
  | 'cancels by an old link'
  | 'lets it run out'
  | 'has a card that is refused'

/**
 * The share of members who act in a week: about two in a hundred leave in a month. A small school
 * gets a higher share, so that a rehearsal of it shows something.
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

/** Which members act in a week, and how: the same for the same seed. */
function actsOfWeek(
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

const refusedCard = 'has a card that is refused' satisfies MemberAct

interface Refused {
  readonly until: number
  readonly methods: readonly { readonly world: RehearsalWorld; readonly account: string; readonly id: string }[]
}

/**
 * A refused card works again after one week to this many weeks: dunning succeeds for some and fails
 * for others.
 */
const refusedWeeksMax = 3

export interface MembersOptions {
  readonly stay: RehearsalWorld
  readonly move: RehearsalWorld
  readonly service: RehearsalService
  readonly copied: readonly Omit<CopyMapRow, 'importedAt'>[]
  readonly seed: number
  /** The share of members whose card is refused once. */
  readonly declines: number
}

/** What the members do in one week. */
interface Week {
  readonly weeks: number
  /** Whether members also leave, and have refused cards, on their own. */
  readonly acts: boolean
  /** Members who entered another card in the target: the bank knows it by no copy. */
  readonly answered: ReadonlySet<string> | undefined
}

/**
 * Lets members act in both runs at the same second. In the control run they act in the old account.
 */
export class Members {
  /** How often each act was done. */
  readonly counts = new Map<MemberAct, number>()
  /**
   * By subscriber: when and how the member left. A member who lets the subscription run out leaves
   * at the end of the period, which the charges show.
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

  async live(week: number, { weeks, acts: isActive, answered }: Week): Promise<void> {
    const { move, seed } = this.options
    await this.acceptAgain(week)
    await this.decline(week, { weeks, answered })
    if (!isActive) return
    for (const { subscriber, act } of actsOfWeek(move.context.catalog.subscribers, { seed, week })) {
      const standing = await this.standingOf(subscriber)
      if (standing === undefined || !(await this.act(act, standing, week))) continue
      this.counts.set(act, (this.counts.get(act) ?? 0) + 1)
      if (act !== 'has a card that is refused') this.left.set(subscriber.key, { act, at: move.accounts.target.now() })
    }
  }

  /** Each of the chosen members has one week in which the bank begins to refuse their card. */
  private async decline(week: number, { weeks, answered }: Omit<Week, 'acts'>): Promise<void> {
    const { move, seed, declines } = this.options
    if (declines === 0) return
    for (const subscriber of move.context.catalog.subscribers) {
      const { key } = subscriber
      if (answered?.has(key) === true || chance(seed, `${key} declines`) >= declines) continue
      if (Math.floor(chance(seed, `${key} declines when`) * weeks) !== week) continue
      if ((await this.standingOf(subscriber)) === undefined || !(await this.refuse(subscriber, week))) continue
      this.counts.set(refusedCard, (this.counts.get(refusedCard) ?? 0) + 1)
    }
  }

  /**
   * Undefined for a subscriber whom the control run no longer bills: they have nothing left to do.
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

  /** False when the subscription does not allow the act. */
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
        // A subscription that already ends needs no act, and a schedule decides for itself.
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

  /** The bank refuses the card in every account, including its copy in the target. */
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
  /** The subscription in the control run. */
  readonly expected: StripeObject
  readonly oldLives: boolean
  /** The live subscription in the target, if any. */
  readonly successor: string | undefined
}

async function find(world: RehearsalWorld, { source, customer, subscription }: DesiredSubscriber) {
  const account = world.accounts.sources.get(source)
  if (account === undefined) return undefined
  const theirs = await listAll(account, '/v1/subscriptions', { customer, status: 'all' })
  return theirs.find(({ id }) => id === subscription)
}
