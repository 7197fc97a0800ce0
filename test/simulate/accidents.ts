import { Maker } from '../../src/sandbox/population/maker.ts'
import { invoiceItems } from '../../src/sandbox/stripe/billing/rows.ts'
import { goesOn, isLive, sidesOf } from './ground.ts'
import type { Happening } from './happenings.ts'
import type { Member, BothWorlds } from './world.ts'

/** What other people do to the accounts and to the YAML while members are carried. */
export class Accidents {
  private readonly worlds: BothWorlds
  private readonly note: (text: string) => void
  private readonly count: (name: string) => void
  private readonly reused = new Set<string>()

  constructor(worlds: BothWorlds, note: (text: string) => void, count: (name: string) => void) {
    this.worlds = worlds
    this.note = note
    this.count = count
  }

  /** Whose deletion ends exactly one subscription, in a stage in which it can be made. */
  canDelete(member: Member, where: 'old' | 'new'): boolean {
    const sides = sidesOf(this.worlds, member)
    const { old, controlRun, live } = sides
    const isShared = this.worlds.members.some((one) => one !== member && one.customer === member.customer)
    if (isShared || controlRun === undefined || !isLive(controlRun) || !goesOn(sides)) return false
    if (where === 'new' ? live.length !== 1 : old === undefined || !isLive(old)) return false
    // The deletion takes what waits along, which an end alone may still bill.
    return !this.hasItem(
      where === 'new' ? 'target' : member.account,
      where === 'new' ? live[0]?.customer : member.customer,
    )
  }

  private hasItem(account: string, customer: string | undefined): boolean {
    const all = [...this.worlds.moved.world.account(account).table(invoiceItems).all()]
    return all.some((row) => row.customer === customer && row.invoice === null && row.amount !== 0)
  }

  /** Everything of theirs in that account is gone. */
  async deleteCustomer(member: Member, where: 'old' | 'new'): Promise<void> {
    const { live, held } = sidesOf(this.worlds, member)
    const account = where === 'new' ? 'target' : member.account
    const customer = where === 'new' ? (live[0]?.customer ?? '') : member.customer
    this.count(where === 'new' ? 'customers_deleted_in_target' : `customers_deleted_${held ? 'on_hold' : 'at_source'}`)
    this.note(`the customer of ${member.key} is deleted in ${account}`)
    const { world } = this.worlds.moved
    world.transact(() => new Maker(world).delete(world.account(account), `/v1/customers/${customer}`))
    await this.worlds.service.delivered()
  }

  /** The same id means other terms from now on; who has the discount keeps the earlier ones. */
  reuseCoupon({ account, coupon }: Extract<Happening, { readonly do: 'reuse coupon' }>): void {
    const id = this.worlds.town.coupons[account]?.[coupon]
    if (id === undefined || this.reused.has(id)) return
    this.reused.add(id)
    this.worlds.termsEdited = true
    this.count('coupons_reused')
    this.note(`the coupon ${coupon} of ${account} is deleted, and its id used again`)
    for (const { world } of [this.worlds.moved, this.worlds.controlRun])
      world.transact(() => {
        const maker = new Maker(world)
        maker.delete(world.account(account), `/v1/coupons/${id}`)
        maker.post(world.account(account), '/v1/coupons', { id, name: 'Again', percent_off: 50, duration: 'forever' })
      })
  }

  wrongEntry(what: 'subscriber' | 'price'): void {
    this.count('wrong_entries')
    this.note(`a wrong ${what} stands in the YAML`)
    this.worlds.writeWrong(what)
  }

  newAmount(price: number): void {
    const said = this.worlds.writeAmount(price)
    if (said === undefined) return
    this.count('new_amounts')
    this.note(`a price gets another amount for new subscribers: ${said}`)
  }
}
