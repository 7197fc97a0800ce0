import { Bug } from '../../src/core/assert.ts'
import { formatInstant, instant, secondsPerDay, secondsPerHour } from '../../src/core/instant.ts'
import { apply, type ApplyResult } from '../../src/engine/apply/apply.ts'
import type { Context } from '../../src/engine/context.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import { Killed, mortal } from '../../src/engine/rehearse/mortal.ts'
import { stateRebuild } from '../../src/engine/rebuild.ts'
import { recover } from '../../src/engine/apply/recover.ts'
import { deferredCodes } from '../../src/handover/codes.ts'
import { guardNames } from '../../src/catalog/guards.ts'
import type { Plan } from '../../src/plan/types.ts'
import { Accidents } from './accidents.ts'
import type { Checkout } from './checkouts.ts'
import { Banks, isOfBanks } from './banks.ts'
import { CardLinks } from './card-links.ts'
import { Departures } from './departures.ts'
import { billsOf, collectedNow, waitsForStoredAnswer } from './ground.ts'
import { FrozenRuns } from './frozen.ts'
import type { Happening } from './happenings.ts'
import { Mistakes } from './mistakes.ts'
import { isAt, isDone } from './outcomes.ts'
import { Life } from './life.ts'
import { onAccounts, type Mutation } from './mutations.ts'
import { Portal } from './portal.ts'
import * as promise from './promises.ts'
import { Broken, type Foreign, type Sent } from './promises.ts'
import { standing, type Saved } from './saved-plans.ts'
import type { Counts } from './counts.ts'
import { bury, type Member, type BothWorlds } from './world.ts'

type Do<Name extends Happening['do']> = Extract<Happening, { readonly do: Name }>

/** What people do who see one subscription. */
type Deed = Do<
  | 'cancel'
  | 'old hook'
  | 'poll'
  | 'edit'
  | 'carry'
  | 'decline'
  | 'accept'
  | 'old checkout'
  | 'revoke'
  | 'item'
  | 'card link'
  | 'delete customer'
  | 'mix copies'
  | 'remove coupon'
  | 'draft with item'
>

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
  html: 0.02,
  empty_page: 0.02,
}

/** Plays one story: causes the events and checks the promises after each of them. */
export class Teller {
  readonly lines: string[] = []
  private readonly tally: Record<string, number> = {}
  private readonly worlds: BothWorlds
  private readonly mutate: Mutation
  private readonly life = new Life()
  private readonly portal: Portal
  private readonly cardLinks: CardLinks
  private readonly departures: Departures
  private readonly foreign: Foreign
  /** Everything sent since the last check. */
  private readonly sent: Sent[] = []
  private saved: Saved | undefined
  /** Work is incomplete: the next life must come before a near renewal. */
  private unfinished = false
  private toRebuild = false
  /** Invoices that were being collected when the unfinished work began. */
  private collected: readonly string[] = []
  private readonly frozen: FrozenRuns
  private readonly accidents: Accidents
  private readonly mistakes: Mistakes
  private readonly banks: Banks

  constructor(worlds: BothWorlds, mutate: Mutation) {
    this.worlds = worlds
    this.mutate = mutate
    const note = (text: string): void => this.note(text)
    const count = (name: string): void => this.count(name)
    this.portal = new Portal(worlds, this.life, note, count)
    this.cardLinks = new CardLinks(worlds, this.life, note, count)
    this.foreign = this.portal.plantForeign()
    this.departures = new Departures(worlds, note, count)
    this.accidents = new Accidents(worlds, note, count)
    this.mistakes = new Mistakes({ worlds, life: this.life, note, count })
    this.banks = new Banks({ worlds, life: this.life, departures: this.departures, note, count })
    this.frozen = new FrozenRuns({ worlds, note, count, watched: (context) => this.noted(context) })
    for (const { credit, pending } of worlds.people) {
      if (credit !== undefined) this.count('people_with_credit')
      if (pending !== undefined) this.count('people_with_pending_items')
    }
    this.life.look(worlds)
  }

  /** @returns the broken promise. */
  async tell(happenings: readonly Happening[]): Promise<string | undefined> {
    try {
      for (const happening of happenings) {
        await this.happen(happening)
        await this.judge()
      }
      await this.close()
      return undefined
    } catch (error) {
      if (!(error instanceof Broken)) throw error
      return error.message
    }
  }

  counts(): Counts {
    const { service } = this.worlds
    for (const [fault, times] of this.worlds.injected()) this.tally[`fault_${fault}`] = times
    const { hooks, duplicates, events, refused } = service.counts
    return { ...this.tally, hooks, duplicate_hooks: duplicates, stripe_events: events, refused_hooks: refused }
  }

  private note(text: string): void {
    this.lines.push(`${formatInstant(this.worlds.now())}  ${text}`)
  }

  private count(name: string, times = 1): void {
    this.tally[name] = (this.tally[name] ?? 0) + times
  }

  /** The promises that can be judged at any time. */
  private async judge(): Promise<void> {
    promise.onePayer(this.worlds)
    await this.portal.bringIntoForce()
    this.life.look(this.worlds)
    promise.nothingTwice(this.worlds, this.unfinished)
    promise.touchesOnlyItsOwn(this.worlds, this.foreign, this.sent)
    this.sent.length = 0
    const found = await promise.verifyTellsTheTruth(this.worlds, this.life, this.worlds.context())
    this.count('verified')
    this.count('violations_told', found)
    if (!this.unfinished) promise.asIfNothingHad(this.worlds, this.life)
    this.banks.billsNothingWaived()
  }

  private async happen(happening: Happening): Promise<void> {
    // An apply may take an hour, which may contain a renewal: what verify reported is handled
    // before any other event.
    await this.portal.billItems()
    this.mistakes.followCoupons()
    if (isOfBanks(happening)) {
      await this.finish()
      return this.banks.happen(happening, this.member(happening.member))
    }
    switch (happening.do) {
      case 'days':
        return this.days(happening.days)
      case 'stage':
        return this.stage(this.member(happening.member), happening.stage)
      case 'wave':
        for (const member of this.worlds.members) this.stage(member, happening.stage)
        return undefined
      case 'apply':
        return happening.beside === true ? this.besideAClean(happening.diesAt) : this.apply(happening)
      case 'save plan':
        return this.save()
      case 'apply saved':
        return this.applySaved(happening.tampered)
      case 'lose the store':
        return this.loseStore()
      case 'erase':
        return this.erase(this.member(happening.member))
      case 'pull':
        return this.pull()
      case 'clock':
        this.count('clock_jumps')
        this.note(`the clock of the service is set by ${happening.hours} hours`)
        return this.worlds.service.jump(happening.hours * secondsPerHour)
      case 'keep a copy':
        this.count('copies_kept')
        this.note('the store is copied to another machine')
        return this.worlds.keepCopy()
      case 'freeze':
        return this.freeze(happening)
      case 'thaw':
        return this.thaw()
      case 'reuse coupon':
        return this.accidents.reuseCoupon(happening)
      case 'wrong entry':
        return this.accidents.wrongEntry(happening.what)
      case 'new amount':
        return this.accidents.newAmount(happening.price)
      case 'new rate':
        return this.mistakes.newRate()
      case 'exchange accounts':
        return this.mistakes.exchangeAccounts()
      case 'mix copies':
      case 'remove coupon':
      case 'draft with item':
      case 'delete customer':
      case 'cancel':
      case 'old hook':
      case 'poll':
      case 'edit':
      case 'carry':
      case 'decline':
      case 'accept':
      case 'old checkout':
      case 'revoke':
      case 'item':
      case 'card link':
        return this.people(happening)
    }
  }

  /**
   * What members do, and how the operator responds. People see one subscription, so incomplete work
   * is finished first.
   */
  private async people(happening: Deed): Promise<void> {
    await this.finish()
    switch (happening.do) {
      case 'cancel':
        return this.departures.leave(this.member(happening.member), happening)
      case 'delete customer':
        return this.deleteCustomer(happening)
      case 'old hook':
        return this.departures.hearAgain(happening.which)
      case 'poll':
        return this.departures.poll()
      case 'edit':
        return this.portal.edit(this.member(happening.member), happening)
      case 'carry':
        return this.portal.carry(this.member(happening.member))
      case 'decline':
        return this.portal.decline(this.member(happening.member), true)
      case 'accept':
        return this.portal.decline(this.member(happening.member), false)
      case 'old checkout':
        return this.portal.oldCheckout(this.member(happening.member))
      case 'revoke':
        return this.departures.revoke(this.member(happening.member))
      case 'item':
        return this.portal.addItem(this.member(happening.member))
      case 'mix copies':
        return this.mistakes.mixCopies()
      case 'remove coupon':
        return this.mistakes.removeCoupon(this.member(happening.member))
      case 'draft with item':
        return this.draftWithItem(this.member(happening.member))
      case 'card link':
        return this.cardLinks.use(this.member(happening.member), happening.returns)
    }
  }

  private member(number: number): Member {
    const { members } = this.worlds
    return members[number % members.length] as Member
  }

  private stage(member: Member, stage: 'source' | 'target' | 'settled'): void {
    this.note(`${member.key}: stage ${stage}`)
    // Recovery finishes a killed revert and reports no change: the requested stage counts.
    if (stage === 'source') this.life.of(member).reverted = true
    this.worlds.write(member.key, stage)
  }

  private async days(days: number): Promise<void> {
    await this.finish()
    this.note(`${days} days pass`)
    this.count(days > 20 ? 'leaps' : 'steps_of_time')
    await this.pass(days * secondsPerDay)
  }

  private async draftWithItem(first: Member): Promise<void> {
    const draft = this.mistakes.draftWithItem(first)
    if (draft === undefined) return
    await this.pass(draft.wait)
    this.mistakes.stands(draft.member)
  }

  private async pass(seconds: number): Promise<void> {
    // A renewal comes: what stays in the middle is finished before, by an operator who looks.
    for (let turn = 0; turn < 3 && this.unfinished; turn++) await this.finish()
    for (const member of this.worlds.members) {
      const doings = this.life.of(member)
      if (doings.cardInOld) doings.lateCard = true
    }
    await this.worlds.advance(instant(this.worlds.now() + seconds))
    await this.departures.work()
    promise.sameBills(this.worlds, this.life)
  }

  private async finish(): Promise<void> {
    if (this.unfinished) await this.apply({ diesAt: undefined, faults: undefined })
    this.life.look(this.worlds)
  }

  private async deleteCustomer({ member: number, where, diesAt }: Do<'delete customer'>): Promise<void> {
    const member = this.member(number)
    if (!this.accidents.canDelete(member, where)) return
    await this.departures.follow(member, { diesAt }, () => this.accidents.deleteCustomer(member, where))
  }

  private async freeze(happening: Do<'freeze'>): Promise<void> {
    await this.thaw()
    this.count('applies')
    await this.frozen.freeze(happening)
    this.unfinished = true
  }

  private async thaw(): Promise<void> {
    if (!(await this.frozen.thaw())) return
    this.unfinished = true
    await this.worlds.service.delivered()
  }

  private async erase(member: Member): Promise<void> {
    await this.finish()
    if (!this.worlds.isDeclared(member.key)) return
    this.count('erased')
    this.note(`${member.key} disappears from the YAML`)
    this.worlds.erase(member.key)
  }

  private async pull(): Promise<void> {
    await this.finish()
    this.count('pulls')
    this.note('copied, imported and pulled again')
    await this.worlds.pullAgain()
    this.portal.pulled()
  }

  /** A store that is lost during the work is not rebuilt first: the marks must suffice. */
  private async loseStore(): Promise<void> {
    this.count('lost_stores')
    this.note('the store is lost')
    const lost = await this.worlds.loseStore()
    if (this.unfinished) {
      this.count('lost_in_the_middle')
      this.toRebuild = true
    } else {
      this.count('rebuilt')
      await promise.rebuiltEquals(this.worlds, lost, this.worlds.context())
    }
    await lost.close()
  }

  /* ---------------------------------------------------------------- plan and apply */

  /** One life of `plan` and `apply`; the next one, within a day, finds incomplete work. */
  private async apply({
    diesAt,
    faults,
    from = 'laptop',
    late,
  }: Pick<Do<'apply'>, 'diesAt' | 'faults' | 'from' | 'late'>): Promise<void> {
    const living = (await this.worlds.machine(from)).context
    const isLate = late === undefined ? {} : { late: { seconds: late } }
    const rates = late === undefined ? faultRates : { ...faultRates, late_commit: 0.04 }
    this.worlds.faults(faults === undefined ? undefined : { seed: faults, rates, ...isLate })
    const life = this.mortal(living, diesAt)
    if (from !== 'laptop') this.count(from === 'ci' ? 'applies_from_ci' : 'applies_from_old_copy')
    // Beside a stopped run, whatever happens may be that run's.
    const clean = faults === undefined && !this.frozen.isStopped
    if (!this.unfinished) this.collected = collectedNow(this.worlds)
    this.count('applies')
    let told = 'done'
    try {
      await recover(life)
      const plan = await makePlan(life)
      promise.erasedStay(this.worlds, plan)
      promise.missesNoSuccessor(this.worlds, plan)
      this.onlyAsDeclared(plan)
      const sent = this.sent.length
      const result = await apply(life, plan, { allow: guardNames, fromFile: true })
      told = this.telling(result)
      this.unfinished = !isDone(result)
      const waits = clean && (await waitsForStoredAnswer(this.worlds, living, result))
      if (clean && !waits) await this.afterClean(plan, result, this.sent.slice(sent), from)
    } catch (error) {
      if (error instanceof Broken || error instanceof Bug || error instanceof TypeError) throw error
      if (!(error instanceof Killed) && clean) throw new Broken(`clean run: ${String(error)}`)
      told = error instanceof Killed ? 'killed' : `stopped: ${error instanceof Error ? error.message : 'unknown'}`
      this.unfinished = true
      if (error instanceof Killed) this.count('kills')
      await bury(living)
    } finally {
      this.worlds.faults(undefined)
    }
    await this.worlds.service.delivered()
    this.note(`apply${faults === undefined ? '' : ' with faults'}${from === 'laptop' ? '' : ` from ${from}`}: ${told}`)
    if (this.unfinished) return this.worlds.advance(instant(this.worlds.now() + secondsPerHour))
    // Incomplete work was finished by its marks; a rebuild tells the store about the rest.
    if (this.toRebuild) await stateRebuild(this.worlds.context())
    this.toRebuild = false
    await this.departures.work()
  }

  /** Everything is sent through this context, recorded, and checked between any two requests. */
  private noted(living: Context): Context {
    return onAccounts(living, (account) => ({
      ...account,
      send: async (request) => {
        const reads = request.method === 'GET' || request.path.endsWith('/create_preview')
        const sent: Sent = { ...request, account: account.name }
        if (!reads && request.still === undefined) throw new Bug(`${request.path}: sent without a last look`)
        if (!reads) this.sent.push(sent)
        const before = promise.customerOfRegister(this.worlds, account.name, request)
        const answer = await account.send(request)
        const after = promise.customerOfRegister(this.worlds, account.name, request)
        const isRegister = before !== undefined && before === after
        if (isRegister) this.count('registers')
        sent.isIdle = isRegister || (!answer.ok && answer.failure.status >= 500)
        // Here the world is as it is, whatever a broken rule above makes the program believe.
        if (!reads) promise.onePayer(this.worlds)
        return answer
      },
    }))
  }

  private mortal(living: Context, diesAt: number | undefined): Context {
    return mortal(this.mutate(this.noted(living)), (at) => {
      promise.onePayer(this.worlds)
      return isAt(at, diesAt)
    }).context
  }

  private telling({ changes }: ApplyResult): string {
    for (const { action, outcome } of changes) if (outcome === 'done') this.count(`${action}s`)
    const said = changes.map(({ address, action, outcome, code }) =>
      [action, address, outcome, ...(code === undefined ? [] : [`(${code})`])].join(' '),
    )
    return said.join(', ') || 'nothing to do'
  }

  /** A member is moved only as the YAML says; anything else was never reviewed. (Promise 4.) */
  private onlyAsDeclared(plan: Plan): void {
    for (const { address, action } of plan.changes) {
      const member = this.worlds.members.find(({ key }) => address === `subscriber.${key}`)
      if (action !== 'move' || member === undefined || !this.portal.isChanged(member)) continue
      throw new Broken(`promise 4: ${member.key} was changed since the pull, and the plan still moves them`)
    }
  }

  /** What must be true after an undisturbed run. */
  private async afterClean(
    plan: Plan,
    result: ApplyResult,
    sent: readonly Sent[],
    from: Checkout = 'laptop',
    saved = false,
  ): Promise<void> {
    const undone = result.changes.find(
      ({ outcome, code = '' }) =>
        outcome === 'undone' || outcome === 'failed' || (outcome === 'skipped' && !(code in deferredCodes)),
    )
    if (undone !== undefined)
      throw new Broken(
        `clean run: ${undone.action} ${undone.address} ended ${undone.outcome}: ${undone.code} ${undone.message}`,
      )
    if (result.recovered.length === 0) promise.onlyWhatWasPlanned(plan, sent)
    this.unfinished = result.changes.some(({ outcome }) => outcome === 'held')
    if (!isDone(result) || this.unfinished) return
    // What was finished first, from its marks alone, no plan made before could know of.
    // What somebody did elsewhere after a plan was saved is not in it.
    // Grants are known to the store that made them, until another one is rebuilt.
    const isElsewhere = from !== 'laptop'
    if (result.recovered.length === 0 && !saved) await promise.nothingLeft(this.worlds.context(), isElsewhere)
    promise.exactlyOnePayer(this.worlds, this.life)
    if (saved) return
    promise.stopsNoCollection(this.worlds, this.collected)
    if (from === 'laptop') await promise.rightAccess(this.worlds)
    this.count('converged')
  }

  /** Killed and run again at once: it ends like a run without a kill, in a separate world. */
  private async besideAClean(diesAt: number | undefined): Promise<void> {
    await this.finish()
    const fork = await this.worlds.fork()
    try {
      await recover(fork.context)
      const plan = await makePlan(fork.context)
      await apply(fork.context, plan, { allow: guardNames, fromFile: true })
      await this.atOnce(diesAt)
      promise.sameEnd(this.worlds, fork.sandbox)
      this.count('compared_with_clean')
    } finally {
      await fork.close()
    }
  }

  private async atOnce(diesAt: number | undefined): Promise<void> {
    const living = this.worlds.context()
    const life = this.mortal(living, diesAt)
    try {
      await recover(life)
      await apply(life, await makePlan(life), { allow: guardNames, fromFile: true })
    } catch (error) {
      if (!(error instanceof Killed)) throw error
      this.count('kills')
      await bury(living)
    }
    // A kill before the hold was undone by the recovery, so the plan after it moves again.
    this.note(`apply, killed at ${diesAt}, and again at once`)
    for (let turn = 0; turn < 2; turn++) {
      const again = this.mortal(this.worlds.context(), undefined)
      await recover(again)
      const result = await apply(again, await makePlan(again), { allow: guardNames, fromFile: true })
      this.telling(result)
    }
    await this.worlds.service.delivered()
  }

  private async save(): Promise<void> {
    await this.finish()
    const context = this.worlds.context()
    const plan = await makePlan(context)
    this.count('plans_saved')
    this.note(
      `a plan is saved: ${plan.changes.map(({ action, address }) => `${action} ${address}`).join(', ') || 'nothing'}`,
    )
    this.saved = { text: JSON.stringify(plan), at: this.worlds.now(), ...(await standing(this.worlds, plan, context)) }
  }

  /**
   * Applied from its file: refused when anything that it is bound to has changed, otherwise
   * executed exactly. (Promise 4.)
   */
  private async applySaved(tampered: boolean): Promise<void> {
    await this.finish()
    const { saved } = this
    if (saved === undefined) return
    this.saved = undefined
    const whole = JSON.parse(saved.text) as Plan
    const plan = tampered ? { ...whole, summary: { ...whole.summary, unchanged: -1 } } : whole
    const context = this.worlds.context()
    const now = await standing(this.worlds, whole, context)
    const age = this.worlds.now() - saved.at
    const differs = (['catalog', 'store', 'people'] as const).filter((what) => now[what] !== saved[what])
    const from = this.sent.length
    try {
      const allow = guardNames.filter((name) => name !== 'plan_age')
      const result = await apply(this.mortal(context, undefined), plan, { allow, fromFile: true })
      this.note(`the saved plan is applied: ${this.telling(result)}`)
      this.count('saved_plans_applied')
      const why = tampered ? 'edited after it was made' : differs.join(', ')
      if (why !== '' && plan.changes.length > 0)
        throw new Broken(`promise 4: a plan was applied though its basis differs: ${why}`)
      this.unfinished = !isDone(result)
      if (!(await waitsForStoredAnswer(this.worlds, context, result)))
        await this.afterClean(plan, result, this.sent.slice(from), 'laptop', true)
    } catch (error) {
      if (error instanceof Broken || error instanceof Bug || error instanceof TypeError) throw error
      const codes = tampered ? ['plan_edited'] : ['plan_stale', 'plan_expired']
      promise.refusedWith(error, codes, this.sent.slice(from))
      if (!tampered && differs.length === 0 && age < secondsPerHour)
        throw new Broken(`promise 4: a fresh plan was refused: ${String(error)}`)
      this.count(tampered ? 'edited_plans_refused' : 'stale_plans_refused')
      this.note(`the saved plan is refused (${differs.join(', ') || `${Math.floor(age / secondsPerHour)} hours old`})`)
    }
    await this.worlds.service.delivered()
  }

  /* ---------------------------------------------------------------- the end */

  /** Everything is finished without faults, months pass, and the two worlds are compared. */
  private async close(): Promise<void> {
    await this.thaw()
    await this.portal.billItems()
    this.mistakes.followCoupons()
    await this.pull()
    for (const member of this.worlds.members) await this.portal.carry(member)
    for (let turn = 0; turn < 3; turn++) await this.apply({ diesAt: undefined, faults: undefined })
    await this.judge()
    const { changes } = await makePlan(this.mutate(this.worlds.context()))
    const open = changes.filter(({ address }) => !address.startsWith('subscriber.'))
    if (open.length > 0)
      throw new Broken(`promise 10: left to do after apply: ${open.map(({ address }) => address).join(', ')}`)
    promise.exactlyOnePayer(this.worlds, this.life)
    await this.loseStore()
    await this.worlds.advance(instant(this.worlds.now() + monthsAfter * 31 * secondsPerDay))
    await this.departures.work()
    await this.judge()
    promise.sameBills(this.worlds, this.life)
    this.count('charges', billsOf(this.worlds).actual.length)
  }
}
