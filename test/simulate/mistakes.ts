import { CommandError } from '../../src/core/outcome.ts'
import { apply } from '../../src/engine/apply/apply.ts'
import type { Context } from '../../src/engine/context.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import { verify } from '../../src/engine/verify/verify.ts'
import { present } from '../../src/core/assert.ts'
import { Maker } from '../../src/sandbox/population/maker.ts'
import { invoiceItems } from '../../src/sandbox/stripe/billing/rows.ts'
import { discounts } from '../../src/sandbox/stripe/discounts.ts'
import { isLive, rowsOf, sidesOf } from './ground.ts'
import type { Life } from './life.ts'
import { onAccounts } from './mutations.ts'
import { Broken } from './promises.ts'
import type { Member, BothWorlds } from './world.ts'

interface Around {
  readonly worlds: BothWorlds
  readonly life: Life
  readonly note: (text: string) => void
  readonly count: (name: string) => void
}

const minute = 60
const hour = 3_600
const day = 86_400

/** What people do wrong, or do in an account while Crossbill is at work. */
export class Mistakes {
  private readonly worlds: BothWorlds
  private readonly life: Life
  private readonly note: (text: string) => void
  private readonly count: (name: string) => void
  private readonly removed = new Set<string>()

  constructor({ worlds, life, note, count }: Around) {
    this.worlds = worlds
    this.life = life
    this.note = note
    this.count = count
  }

  /** Support ends a member's discount in the old account, where the subscription is on hold. */
  removeCoupon(member: Member): void {
    const { old, controlRun, live, held } = sidesOf(this.worlds, member)
    const [successor] = live
    const isShared = this.worlds.members.some((one) => one !== member && one.customer === member.customer)
    if (!held || isShared || old === undefined || controlRun === undefined || successor === undefined) return
    if (live.length > 1 || old.pause_collection?.behavior !== 'void' || !this.worlds.isDeclared(member.key)) return
    const ends = [old, successor, controlRun].some((row) => row.cancel_at !== null || row.cancel_at_period_end)
    const [account, target] = [member.account, 'target']
    const lasts = this.lasts('moved', account, old.discounts) && this.lasts('moved', target, successor.discounts)
    if (ends || !lasts || !this.lasts('controlRun', account, controlRun.discounts)) return
    this.count('coupons_removed_on_hold')
    this.note(`${member.key}: the discount is taken off the held old one`)
    Object.assign(this.life.of(member), { couponRemoved: true, couponEnded: true })
    this.removed.add(member.key)
    // An earlier confirmation does not cover this change.
    this.worlds.override(member.key, [])
    for (const which of ['moved', 'controlRun'] as const) this.takeOff(which, account, old.id)
  }

  /** The operator reads the report of verify and ends the discount in the target as well. */
  followCoupons(): void {
    for (const member of this.worlds.members) {
      if (!this.removed.delete(member.key)) continue
      const { live } = sidesOf(this.worlds, member)
      for (const { id } of live) this.takeOff('moved', 'target', id)
      this.life.of(member).couponRemoved = false
    }
  }

  /** One discount, without an end. */
  private lasts(which: 'moved' | 'controlRun', account: string, ids: readonly string[]): boolean {
    const table = this.worlds[which].world.account(account).table(discounts)
    return ids.length === 1 && table.get(ids[0] ?? '')?.end === null
  }

  private takeOff(which: 'moved' | 'controlRun', account: string, subscription: string): void {
    const { world } = this.worlds[which]
    world.transact(() => new Maker(world).delete(world.account(account), `/v1/subscriptions/${subscription}/discount`))
  }

  /** Two lines of the mapping file of the copy have each other's new ids, until the next import. */
  async mixCopies(): Promise<void> {
    const mixed = await this.worlds.mixCopies()
    if (mixed.length === 0) return
    this.count('copy_maps_mixed')
    this.note(`the copy map exchanges ${mixed.join(' and ')}`)
  }

  /** Somebody exchanges the target and a source in project.yaml, and runs it in CI. */
  async exchangeAccounts(): Promise<void> {
    const { context } = await this.worlds.machine('ci')
    const us = present(context.accounts.sources.get('us'), 'us')
    // The marks of a first apply must be there: before it, no account shows which one it is.
    if (!rowsOf(this.worlds.moved, 'us').some((row) => row.metadata['crossbill_hold'] !== undefined)) return
    const { target } = context.accounts
    const sources = new Map(context.accounts.sources).set('us', { ...target, name: 'us' })
    let sent = 0
    const counting = (living: Context): Context =>
      onAccounts(living, (account) => ({
        ...account,
        send: (request) => {
          if (request.method !== 'GET' && !request.path.endsWith('/create_preview')) sent += 1
          return account.send(request)
        },
      }))
    const swapped = counting({ ...context, accounts: { target: { ...us, name: 'target' }, sources } })
    this.count('accounts_exchanged')
    this.note('the target and us are exchanged in project.yaml')
    const { violations } = await verify(swapped)
    if (!violations.some(({ code }) => code === 'accounts_exchanged'))
      throw new Broken('promise 3: verify does not see that two accounts are exchanged')
    try {
      await apply(swapped, await makePlan(swapped), { fromFile: true })
    } catch (error) {
      if (!(error instanceof CommandError)) throw error
    }
    if (sent > 0) throw new Broken(`promise 7: ${sent} requests were sent to exchanged accounts`)
  }

  /** A tax rate of the catalog gets another percentage for new subscribers. */
  newRate(): void {
    const said = this.worlds.writeRate()
    if (said === undefined) return
    this.count('new_rates')
    this.note(`a tax rate changes for new subscribers: ${said}`)
  }

  /**
   * An item is added in the old account that bills one of the members, and the renewal's draft
   * takes it.
   * @returns the member, and the seconds until the draft stands there.
   */
  draftWithItem(first: Member): { readonly member: Member; readonly wait: number } | undefined {
    for (const member of [first, ...this.worlds.members]) {
      const wait = this.addBeforeDraft(member)
      if (wait !== undefined) return { member, wait }
    }
    return undefined
  }

  private addBeforeDraft(member: Member): number | undefined {
    const { old, controlRun, live, held } = sidesOf(this.worlds, member)
    if (held || live.length > 0 || old === undefined || controlRun === undefined || this.life.of(member).declined)
      return undefined
    const isPlain = [old, controlRun].every(
      (row) => isLive(row) && row.status === 'active' && row.pause_collection === null && !row.cancel_at_period_end,
    )
    const renews = Math.min(...old.items.map((item) => item.current_period_end))
    const wait = renews - this.worlds.now()
    if (!isPlain || old.cancel_at !== null || wait < hour || wait > 60 * day) return undefined
    if (Math.min(...controlRun.items.map((item) => item.current_period_end)) !== renews) return undefined
    this.count('drafts_with_items')
    this.note(`${member.key}: an item is added, and the draft of the renewal takes it`)
    for (const which of ['moved', 'controlRun'] as const) {
      const { world } = this.worlds[which]
      const params = { subscription: member.old, customer: old.customer, amount: 700, currency: old.currency }
      world.transact(() =>
        new Maker(world).post(world.account(member.account), '/v1/invoiceitems', { ...params, discountable: false }),
      )
    }
    return wait + 10 * minute
  }

  /** The item stands on the draft, in both worlds. */
  stands(member: Member): void {
    const all = [...this.worlds.moved.world.account(member.account).table(invoiceItems).all()]
    if (!all.some((row) => row.subscription === member.old && row.invoice !== null && row.amount === 700))
      throw new Error(`the draft of ${member.key} did not take the item`)
  }
}
