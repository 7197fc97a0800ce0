import type { Stage } from '../../src/catalog/types.ts'
import { formatInstant, instant, secondsPerDay, secondsPerHour } from '../../src/core/instant.ts'
import { Bug } from '../../src/core/assert.ts'
import { apply } from '../../src/engine/apply/apply.ts'
import type { Context } from '../../src/engine/context.ts'
import { compareCharges } from '../../src/engine/rehearse/compare-charges.ts'
import { makePlan } from '../../src/engine/make-plan.ts'
import { Killed, mortal } from '../../src/engine/mortal.ts'
import { recover } from '../../src/engine/apply/recover.ts'
import { deferredCodes } from '../../src/handover/codes.ts'
import { guardNames } from '../../src/plan/guards.ts'
import type { Member } from '../engine/members.ts'
import { chance, type Chance } from './chance.ts'
import { bury, twinWorlds, type TwinWorlds } from './world.ts'

/** What happened in one random migration, and what was broken, if anything. */
export interface Story {
  readonly seed: number
  readonly lines: readonly string[]
  readonly counts: Counts
  /** Name of the promise and what was seen; undefined when all held. */
  readonly broken: string | undefined
}

export interface Counts {
  charges: number
  moves: number
  reverts: number
  settles: number
  kills: number
  faults: number
  cancels: number
}

/** One thing that happens. A story is a list of these, so that a failing one can be told shorter. */
export type Happening =
  | { readonly do: 'days'; readonly days: number }
  | { readonly do: 'stage'; readonly member: number; readonly stage: Stage }
  | { readonly do: 'apply'; readonly diesAt: number | undefined; readonly faults: number | undefined }
  | {
      readonly do: 'cancel'
      readonly member: number
      readonly by: 'signal' | 'new door' | 'old door'
      readonly diesAt: number | undefined
    }
  | { readonly do: 'decline'; readonly member: number }
  | { readonly do: 'lose the store' }

const monthsAfter = 5
const faultRates = {
  rate_limited: 0.03,
  lock_timeout: 0.03,
  error_before: 0.02,
  error_stored: 0.02,
  error_after: 0.02,
  unavailable: 0.02,
  cut_before: 0.02,
  cut_after: 0.03,
}

/** A random small school: anchors at month ends, all intervals, running coupons, people with two subscriptions. */
export function randomPeople(random: Chance): Member[] {
  const count = random.between(2, 4)
  const people = Array.from({ length: count }, () => {
    const day = random.one([1, 9, 15, 28, 29, 30, 31])
    const month = random.one(['06', '07', '08', '09'])
    const last = month === '06' || month === '09' ? 30 : 31
    const clock = `${String(random.between(0, 23)).padStart(2, '0')}:${String(random.between(0, 59)).padStart(2, '0')}:${String(random.between(0, 59)).padStart(2, '0')}`
    const since = `2026-${month}-${String(Math.min(day, last)).padStart(2, '0')}T${clock}Z`
    const shares = random.happens(0.2)
    const coupon = random.one([undefined, undefined, 'welcome', 'forever'] as const)
    return {
      since,
      price: random.one(['monthly', 'monthly', 'yearly', 'quarterly'] as const),
      ...(coupon === undefined ? {} : { coupon }),
      shares,
    }
  })
  // In the order in which they signed up, so that somebody's second subscription comes after the first.
  return people
    .toSorted((a, b) => (a.since < b.since ? -1 : 1))
    .map(({ shares, ...one }, index) => (shares && index > 0 ? { ...one, customerOf: index - 1 } : one))
}

/** Some twenty things that happen to it. */
export function randomHappenings(random: Chance, people: number): Happening[] {
  return Array.from({ length: random.between(14, 28) }, (): Happening => {
    const member = random.between(0, people - 1)
    const dice = random.next()
    if (dice < 0.3) return { do: 'days', days: random.between(1, 20) }
    if (dice < 0.58)
      return { do: 'stage', member, stage: random.one(['target', 'target', 'target', 'source', 'source', 'settled']) }
    if (dice < 0.9)
      return {
        do: 'apply',
        diesAt: random.happens(0.5) ? random.between(0, 16) : undefined,
        faults: random.happens(0.4) ? random.between(1, 1_000_000) : undefined,
      }
    if (dice < 0.98) {
      const by = random.one(['signal', 'signal', 'new door', 'old door'] as const)
      return { do: 'cancel', member, by, diesAt: random.happens(0.5) ? random.between(0, 4) : undefined }
    }
    return random.happens(0.5) ? { do: 'decline', member } : { do: 'lose the store' }
  })
}

/** Lives through one seed's story. */
export async function simulate(seed: number): Promise<Story> {
  const random = chance(seed)
  const people = randomPeople(random)
  return tell(seed, people, randomHappenings(random, people.length))
}

/** Lives through a given story, checking the promises after everything that happens. */
export async function tell(
  seed: number,
  people: readonly Member[],
  happenings: readonly Happening[],
  mutate: Mutation = (context) => context,
): Promise<Story> {
  const teller = new Teller(seed, await twinWorlds(people, '2026-10-05T12:00:00Z'), mutate)
  return teller.tell(happenings)
}

/** Breaks the product on purpose, so that it can be shown that the simulation finds it. */
export type Mutation = (context: Context) => Context

class Broken extends Error {}

class Teller {
  private readonly seed: number
  private readonly worlds: TwinWorlds
  private readonly mutate: Mutation
  private readonly lines: string[] = []
  private readonly counts: Counts = { charges: 0, moves: 0, reverts: 0, settles: 0, kills: 0, faults: 0, cancels: 0 }
  /** Something was left in the middle: the next life has to come before any renewal that is near. */
  private unfinished = false
  private readonly ended = new Set<number>()
  private readonly reverted = new Set<string>()
  private readonly declined = new Set<string>()

  constructor(seed: number, worlds: TwinWorlds, mutate: Mutation) {
    this.seed = seed
    this.worlds = worlds
    this.mutate = mutate
  }

  async tell(happenings: readonly Happening[]): Promise<Story> {
    let broken: string | undefined
    try {
      for (const happening of happenings) {
        await this.happen(happening)
        this.onePayer()
      }
      await this.close()
    } catch (error) {
      if (!(error instanceof Broken)) throw error
      broken = error.message
    } finally {
      this.counts.faults = this.worlds.injected()
      await this.worlds[Symbol.asyncDispose]()
    }
    return { seed: this.seed, lines: this.lines, counts: this.counts, broken }
  }

  private note(text: string): void {
    this.lines.push(`${formatInstant(this.worlds.now())}  ${text}`)
  }

  private async happen(happening: Happening): Promise<void> {
    switch (happening.do) {
      case 'days':
        return this.days(happening.days)
      case 'stage':
        this.note(`member ${happening.member}: stage ${happening.stage}`)
        // A killed revert is finished by recovery, which reports no change: the wish counts.
        if (happening.stage === 'source') this.reverted.add(this.worlds.keys[happening.member] ?? '')
        return this.worlds.write(happening.member, happening.stage)
      case 'apply':
        return this.apply(happening)
      case 'cancel':
        return this.cancel(happening)
      case 'lose the store':
        this.note('the store is lost')
        this.unfinished = true
        return this.worlds.loseStore()
      case 'decline':
        if (await this.worlds.decline(happening.member)) {
          this.declined.add(this.worlds.keys[happening.member] ?? '')
          this.note(`member ${happening.member}: the card is declined from now on`)
        }
        return undefined
    }
  }

  private async days(days: number): Promise<void> {
    if (this.unfinished) await this.apply({ diesAt: undefined, faults: undefined })
    this.note(`${days} days pass`)
    await this.worlds.advance(instant(this.worlds.now() + days * secondsPerDay))
  }

  /** One life of `plan` and `apply`; what it leaves in the middle is found by the next one, within a day. */
  private async apply({ diesAt, faults }: { diesAt: number | undefined; faults: number | undefined }): Promise<void> {
    this.worlds.faults(faults === undefined ? undefined : { seed: faults, rates: faultRates })
    const living = this.worlds.context()
    const life = mortal(this.mutate(living), ({ request, side }) => {
      // The judge looks at every instant between two requests, not only when a run is over.
      this.onePayer()
      return diesAt === request * 2 + (side === 'before' ? 0 : 1)
    })
    let told = 'done'
    try {
      await recover(life.context)
      const plan = await makePlan(life.context)
      const result = await apply(life.context, plan, { allow: guardNames, fromFile: true })
      for (const { action, outcome } of result.changes) if (outcome === 'done') this.count(action)
      told = result.changes
        .map(
          ({ address, action, outcome, code }) =>
            `${action} ${address} ${outcome}${code === undefined ? '' : ` (${code})`}`,
        )
        .join(', ')
      this.unfinished = !result.ok
      const undone = result.changes.find(
        ({ outcome, code = '' }) =>
          outcome === 'undone' || outcome === 'failed' || (outcome === 'skipped' && !(code in deferredCodes)),
      )
      if (faults === undefined && undone !== undefined)
        throw new Broken(
          `clean run: ${undone.action} ${undone.address} ended ${undone.outcome}: ${undone.code} ${undone.message}`,
        )
      if (faults === undefined && !result.ok) this.unfinished = result.changes.some(({ outcome }) => outcome === 'held')
    } catch (error) {
      if (error instanceof Broken || error instanceof Bug || error instanceof TypeError) throw error
      if (!(error instanceof Killed) && faults === undefined) throw new Broken(`clean run: ${String(error)}`)
      told = error instanceof Killed ? 'killed' : `stopped: ${error instanceof Error ? error.message : 'unknown'}`
      this.unfinished = true
      if (error instanceof Killed) this.counts.kills++
      await bury(living)
    } finally {
      this.worlds.faults(undefined)
    }
    this.note(`apply${faults === undefined ? '' : ' with faults'}: ${told}`)
    if (this.unfinished) await this.worlds.advance(instant(this.worlds.now() + secondsPerHour))
  }

  private count(action: string): void {
    if (action === 'move') this.counts.moves++
    if (action === 'revert') this.counts.reverts++
    if (action === 'settle') this.counts.settles++
  }

  /** A member wants out: by Kajabi (a signal that is worked on until it is done) or in a portal, the new one or an old link. */
  private async cancel({ member, by, diesAt }: Extract<Happening, { do: 'cancel' }>): Promise<void> {
    if (this.ended.has(member) || !this.worlds.alive(member)) return
    // What stands in the middle is taken up first: a person acts on what they see, and they see one subscription.
    if (this.unfinished) await this.apply({ diesAt: undefined, faults: undefined })
    this.ended.add(member)
    this.counts.cancels++
    if (by === 'signal') {
      this.note(`member ${member} cancels in Kajabi`)
      await this.worlds.cancelSignal(member, true)
    } else {
      const account = await this.worlds.act(member, { act: 'cancel', when: 'now' }, by === 'new door' ? 'new' : 'old')
      this.note(`member ${member} cancels in the portal of ${account}`)
      // The watch of held subscriptions (or the nightly verify) hears of it and hands the wish on.
      if (account === 'us') await this.worlds.cancelSignal(member, false)
    }
    if (diesAt !== undefined && (await this.worlds.workSignals(diesAt))) {
      this.counts.kills++
      this.note('the cancel service is killed')
    }
    for (let turn = 0; turn < 6 && (await this.worlds.pendingSignals()) > 0; turn++) await this.worlds.workSignals()
    if ((await this.worlds.pendingSignals()) > 0) throw new Broken('promise 9: a cancel is pending for ever')
    // Who ended in the target is settled: the only legal next step.
    if (this.worlds.stageOf(member) === 'target') this.worlds.write(member, 'settled')
  }

  /** A revert takes back an invoice that was being dunned, and with it how far the dunning had come: it begins anew in the old account. */
  private beginsAnew(key: string): boolean {
    return this.reverted.has(key) && this.declined.has(key)
  }

  private onePayer(): void {
    this.worlds.keys.forEach((key, member) => {
      const payers = this.worlds.payers(member)
      if (payers.length > 1) throw new Broken(`promise 1: ${key} has two payers: ${payers.join(' and ')}`)
    })
  }

  /** Everything is finished cleanly, months pass, and the two worlds are put side by side. */
  private async close(): Promise<void> {
    for (let turn = 0; turn < 3; turn++) await this.apply({ diesAt: undefined, faults: undefined })
    const plan = await makePlan(this.mutate(this.worlds.context()))
    const open = plan.changes.filter(({ address }) => !address.startsWith('subscriber.'))
    if (open.length > 0)
      throw new Broken(`promise 10: left to do after apply: ${open.map(({ address }) => address).join(', ')}`)
    this.worlds.keys.forEach((key, member) => {
      const payers = this.worlds.payers(member).length
      const alive = this.worlds.alive(member)
      if (this.beginsAnew(key)) return
      if (alive && payers !== 1) throw new Broken(`promise 1: ${key} lives and has ${payers} payers`)
      if (!alive && payers !== 0) throw new Broken(`promise 9: ${key} was cancelled and is still billed`)
    })
    await this.worlds.advance(instant(this.worlds.now() + monthsAfter * 31 * secondsPerDay))
    this.onePayer()
    const { expected, actual } = this.worlds.charges()
    this.counts.charges = actual.length
    // A revert just after a renewal takes the new account's invoice back and bills the period in the old one: the same money, a little later.
    const differences = compareCharges(expected, actual).filter(
      ({ code, subscriber }) =>
        !(code === 'date_differs' && this.reverted.has(subscriber)) && !this.beginsAnew(subscriber),
    )
    const [first, ...others] = differences
    if (first !== undefined)
      throw new Broken(`promise 2: ${first.code} ${first.subscriber}: ${first.detail} (and ${others.length} more)`)
  }
}
