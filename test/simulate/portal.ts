import { Maker, type Params } from '../../src/sandbox/population/maker.ts'
import { invoiceItems, subscriptions, type SubscriptionRow } from '../../src/sandbox/stripe/billing/rows.ts'
import { customers } from '../../src/sandbox/stripe/customer-row.ts'
import { paymentMethods } from '../../src/sandbox/stripe/payment-method-row.ts'
import { prices as priceTable } from '../../src/sandbox/stripe/prices.ts'
import { calm } from '../../src/sandbox/stripe/test-cards.ts'
import { siteOf } from '../../src/sandbox/kajabi/module.ts'
import { present } from '../../src/core/assert.ts'
import { canPay, goesOn, isLive, sidesOf } from './ground.ts'
import type { Edit, Happening } from './happenings.ts'
import { changeable, type Change, type Life } from './life.ts'
import { otherPlan, prices, type PriceName } from './people.ts'
import type { Foreign } from './promises.ts'
import { idIn } from './service.ts'
import type { Member, BothWorlds } from './world.ts'

/**
 * Members in the old and new portals and at their banks, and the operator who makes a change on the
 * other side as well.
 */
export class Portal {
  private readonly worlds: BothWorlds
  private readonly life: Life
  private readonly note: (text: string) => void
  private readonly count: (name: string) => void
  /** Prices of the target that a person created manually, for its portal. */
  private readonly offered = new Map<PriceName, string>()
  private pulledAs = new Map<string, string>()
  /** Pending items in an old account, by subscriber. */
  private readonly items = new Map<string, string>()

  constructor(worlds: BothWorlds, life: Life, note: (text: string) => void, count: (name: string) => void) {
    this.worlds = worlds
    this.life = life
    this.note = note
    this.count = count
    this.pulled()
  }

  /** Before the migration: objects of others in the target, including the prices of its portal. */
  plantForeign(): Foreign {
    const { world } = this.worlds.moved
    const maker = new Maker(world)
    const ids: string[] = []
    const post = (path: string, params: Params): string => {
      const id = idIn(maker.post(world.account('target'), path, params))
      ids.push(`target ${id}`)
      return id
    }
    world.transact(() => {
      const product = post('/v1/products', { name: 'Made by hand' })
      for (const name of new Set(Object.values(otherPlan))) {
        const { currency, unit_amount, recurring, tax_behavior } = prices[name]
        this.offered.set(name, post('/v1/prices', { product, currency, unit_amount, recurring, tax_behavior }))
      }
      post('/v1/coupons', { name: 'Made by hand', percent_off: 50, duration: 'forever' })
      const card = 'pm_card_visa'
      const settings = { default_payment_method: card }
      const customer = post('/v1/customers', {
        email: 'other@example.com',
        payment_method: card,
        invoice_settings: settings,
      })
      post('/v1/subscriptions', { customer, items: [{ price: this.offered.get('premium') }] })
    })
    return { ids, friend: present(siteOf(world).contactOf('friend@example.com'), 'friend').id }
  }

  /** The YAML matches the old accounts again. */
  pulled(): void {
    this.pulledAs = new Map(this.worlds.members.map((member) => [member.key, this.asIs(member)]))
    for (const member of this.worlds.members) Object.assign(this.life.of(member), { adopted: true, couponEnded: false })
  }

  /** Whether a subscriber at the source differs from the YAML. */
  isChanged(member: Member): boolean {
    return this.pulledAs.get(member.key) !== this.asIs(member)
  }

  private asIs(member: Member): string {
    const { old } = sidesOf(this.worlds, member)
    return old === undefined ? '' : changeable(this.worlds, member, old)
  }

  async edit(member: Member, { what, door }: Extract<Happening, { readonly do: 'edit' }>): Promise<void> {
    const sides = sidesOf(this.worlds, member)
    const { old, controlRun, live, held } = sides
    const [successor] = live
    if (controlRun === undefined || !isCalm(controlRun) || !goesOn(sides)) return
    const doings = this.life.of(member)
    const atNew = successor !== undefined && (door === 'own' || old === undefined || !isLive(old))
    const row = atNew ? successor : old
    if (row === undefined || !isCalm(row) || (atNew && losesDiscount(row, this.worlds.now()))) return
    const change = changeOf(this.nameOf(atNew ? 'target' : member.account, row), row, what)
    if (change === undefined) return
    // Where the held old subscription is changed, the pause is Crossbill's: its own portal cannot
    // offer one.
    if (held && !atNew && (what === 'pause' || what === 'unpause')) return
    // The old account would bill the item with the last period; the new one ends with it unbilled.
    if (held && !atNew && what === 'end' && (doings.item || this.isItemWaiting(successor))) return
    this.count(`edits_${what}`)
    this.count(atNew ? 'edits_in_new_portal' : held ? 'edits_by_old_door_on_hold' : 'edits_at_source')
    this.note(
      `${member.key}: ${JSON.stringify(change)} at ${atNew ? 'the new' : held ? 'the held old' : 'the old'} one`,
    )
    await this.make('moved', atNew ? 'target' : member.account, row.id, change)
    // All subscriptions of the customer use the customer's own card.
    if (what === 'card')
      for (const one of this.worlds.members)
        if (one.customer === member.customer)
          Object.assign(this.life.of(one), { cards: true, refused: false, cardInOld: held && !atNew })
    // An override for earlier changes does not cover this one.
    this.worlds.override(member.key, [])
    // A pause is not one of the terms: what a pull adopted before stays adopted.
    if (what !== 'pause' && what !== 'unpause') doings.adopted = false
    const reachesThem = atNew || !held || what === 'card' || what === 'end' || what === 'keep'
    if (reachesThem) await this.make('controlRun', member.account, member.old, change)
    // A revert carries a pause back without help.
    if (atNew && held && what !== 'pause' && what !== 'unpause') doings.inNew.push(change)
    if (!atNew && held && !reachesThem) doings.inOld.push(change)
  }

  /** The operator makes the change on the other side as well and declares it in the YAML. */
  async carry(member: Member): Promise<void> {
    const doings = this.life.of(member)
    const { live, held } = sidesOf(this.worlds, member)
    const [successor] = live
    if (!held || successor === undefined || losesDiscount(successor, this.worlds.now())) return
    const changed = doings.inNew.length + doings.inOld.length > 0 || doings.cards
    if (!changed) return
    this.count('carried_by_operator')
    this.note(`${member.key}: changes are made on the other side, too`)
    for (const change of doings.inNew) {
      await this.make('moved', member.account, member.old, change)
      // The bank declines the card in every account.
      if (change.what === 'card' && doings.refused) {
        const { account, old: subscription } = member
        await this.worlds.act('moved', { act: 'decline_card', account, subscription })
      }
    }
    if (doings.cardInOld) {
      await this.make('moved', 'target', successor.id, { what: 'card' })
      if (doings.refused)
        await this.worlds.act('moved', { act: 'decline_card', account: 'target', subscription: successor.id })
      doings.cardInOld = false
    }
    for (const change of doings.inOld) {
      await this.make('moved', 'target', successor.id, change)
      await this.make('controlRun', member.account, member.old, change)
    }
    doings.inNew.length = 0
    doings.inOld.length = 0
    this.worlds.override(member.key, ['changed_since_move', 'drift_on_held_source'])
  }

  /**
   * An old integration adds an item to the old subscription during the hold; without the migration,
   * the next invoice would contain it.
   */
  async addItem(member: Member): Promise<void> {
    const { old, controlRun, live, held } = sidesOf(this.worlds, member)
    const [successor] = live
    const isShared = this.worlds.members.some((one) => one !== member && one.customer === member.customer)
    if (!held || isShared || old?.pause_collection?.behavior !== 'void' || !this.worlds.isDeclared(member.key)) return
    if (controlRun === undefined || successor === undefined || live.length > 1) return
    const all = [controlRun, successor]
    if (!all.every((row) => isCalm(row) && row.pause_collection === null && row.cancel_at === null)) return
    if (all.some((row) => row.cancel_at_period_end) || this.life.of(member).declined) return
    this.life.of(member).item = true
    this.count('items_on_hold')
    this.note(`${member.key}: an item is added to the held old one`)
    const item = { subscription: member.old, customer: member.customer }
    this.items.set(member.key, this.postItem('moved', member.account, item))
    this.postItem('controlRun', member.account, item)
  }

  /**
   * The operator reads the report of verify, removes every such item from the old account and bills
   * it in the new one.
   */
  async billItems(): Promise<void> {
    for (const member of this.worlds.members) {
      const id = this.items.get(member.key)
      const { held, live } = sidesOf(this.worlds, member)
      const [successor] = live
      this.items.delete(member.key)
      if (id === undefined || !held || successor === undefined) continue
      this.note(`${member.key}: the item is billed in the target`)
      const { world } = this.worlds.moved
      world.transact(() => new Maker(world).delete(world.account(member.account), `/v1/invoiceitems/${id}`))
      this.postItem('moved', 'target', { subscription: successor.id, customer: successor.customer })
    }
  }

  /** An item that was carried to the target waits there for the next invoice. */
  private isItemWaiting(successor: SubscriptionRow | undefined): boolean {
    const all = this.worlds.moved.world.account('target').table(invoiceItems).all()
    return [...all].some((row) => row.subscription === successor?.id && row.invoice === null && row.amount !== 0)
  }

  private postItem(
    which: 'moved' | 'controlRun',
    account: string,
    item: { subscription: string; customer: string },
  ): string {
    const { world } = this.worlds[which]
    const { currency } = present(world.account(account).table(subscriptions).get(item.subscription), 'subscription')
    const params = { ...item, amount: 1_000, currency, discountable: false }
    return world.transact(() => idIn(new Maker(world).post(world.account(account), '/v1/invoiceitems', params)))
  }

  /** Changes by an old door apply to the bills as soon as the old account bills again. */
  async bringIntoForce(): Promise<void> {
    for (const member of this.worlds.members) {
      const { inOld } = this.life.of(member)
      const { held, old, live } = sidesOf(this.worlds, member)
      if (held || inOld.length === 0) continue
      if (old !== undefined && isLive(old) && live.length === 0)
        for (const change of inOld) await this.make('controlRun', member.account, member.old, change)
      inOld.length = 0
    }
  }

  /** The bank declines this card from now on, in every account, or accepts it again. */
  async decline(member: Member, declines: boolean): Promise<void> {
    const sides = sidesOf(this.worlds, member)
    const { controlRun, live, old } = sides
    // The action after the last attempt is a setting of each account; the British one leaves
    // subscriptions unpaid.
    if (member.account !== 'us' || controlRun === undefined || !isLive(controlRun) || !goesOn(sides)) return
    // Their card in the target is another one, so the two worlds would not decline alike.
    if (this.worlds.members.some((one) => one.customer === member.customer && this.life.of(one).entered)) return
    // The copy of their card cannot be told by a copy map that is mixed up.
    if (this.worlds.mixed.has(member.customer)) return
    const act = declines ? 'decline_card' : 'accept_card'
    if (!declines && !this.life.of(member).declined) return
    this.count(declines ? 'declines' : 'accepted_again')
    for (const one of this.worlds.members) if (one.customer === member.customer) this.life.of(one).refused = declines
    if (declines) {
      this.count(live.length > 0 ? 'declines_after_move' : 'declines_before_move')
      for (const one of this.worlds.members) if (one.customer === member.customer) this.life.of(one).declined = true
    }
    this.note(`${member.key}: the card is ${declines ? 'declined' : 'accepted'} from now on`)
    await this.worlds.act('controlRun', { act, account: member.account, subscription: member.old })
    // A card that was detached neither declines nor pays.
    if (old !== undefined && isLive(old) && canPay(this.worlds, member.account, old))
      await this.worlds.act('moved', { act, account: member.account, subscription: member.old })
    for (const { id } of live) await this.worlds.act('moved', { act, account: 'target', subscription: id })
    if (live.length === 0) await this.temperOfCopy(member, declines)
  }

  /** A member before the move already has a copy of the card in the target. */
  private async temperOfCopy({ account, customer, old }: Member, declines: boolean): Promise<void> {
    const { world } = this.worlds.moved
    const row = world.account(account).table(subscriptions).get(old)
    const owner = world.account(account).table(customers).get(customer)
    const paying = row?.default_payment_method ?? owner?.invoice_settings.default_payment_method
    for await (const { source, sourceOld, sourceNew } of this.worlds.context().store.copyMap()) {
      if (source !== account || sourceOld !== paying) continue
      const table = world.account('target').table(paymentMethods)
      const copy = table.get(sourceNew)
      if (copy === undefined) continue
      const refuses = { code: 'card_declined', decline_code: 'generic_decline', from: null, times: null } as const
      world.transact(() => table.put({ ...copy, temper: declines ? { ...copy.temper, declines: refuses } : calm }))
    }
  }

  /** A forgotten checkout link of the old account sells again, to an existing customer. */
  async oldCheckout(member: Member): Promise<void> {
    const { controlRun } = sidesOf(this.worlds, member)
    const isDollar = prices[member.price].currency === 'usd'
    const again = this.worlds.members.length > this.worlds.town.subscriptions.length
    if (!isDollar || again || controlRun === undefined || !isLive(controlRun) || this.life.of(member).declined) return
    const { customer, account } = member
    // A checkout that sells without a card would ask for one.
    if (!this.hasCard('moved', account, customer)) return
    // A credit pays the first invoice in the account where it is, and it may have moved.
    const buyer = this.worlds.controlRun.world.account(account).table(customers).get(customer)
    if (Object.values(buyer?.balances ?? {}).some((one) => one !== 0)) return
    this.count('old_checkouts')
    const what = { act: 'subscribe', account, customer, price: this.worlds.town.prices.course }
    const here = await this.worlds.act('moved', what)
    const there = await this.worlds.act('controlRun', what)
    if (here['id'] !== there['id']) throw new Error('the two worlds count differently')
    const old = idIn(here)
    this.note(`an old checkout sells ${account}/${old} to the customer of ${member.key}`)
    this.worlds.members.push({ key: `${account}/${old}`, account, old, customer, price: 'course' })
  }

  private hasCard(which: 'moved' | 'controlRun', account: string, customer: string): boolean {
    const { world } = this.worlds[which]
    return [...world.account(account).table(paymentMethods).by('customer', customer)].length > 0
  }

  private async make(
    world: 'moved' | 'controlRun',
    account: string,
    subscription: string,
    change: Change,
  ): Promise<void> {
    const { what, plan, quantity } = change
    const at = { account, subscription }
    switch (what) {
      case 'card':
        await this.worlds.act(world, { act: 'change_card', ...at })
        return
      case 'plan': {
        const name = plan ?? 'monthly'
        const price = account === 'target' ? (this.offered.get(name) ?? '') : this.worlds.town.prices[name]
        await this.worlds.act(world, { act: 'change_plan', ...at, price })
        return
      }
      case 'quantity':
        await this.worlds.act(world, { act: 'change_quantity', ...at, quantity: quantity ?? 1 })
        return
      case 'end':
        await this.worlds.act(world, { act: 'cancel', when: 'period_end', ...at })
        return
      case 'keep':
      case 'pause':
      case 'unpause':
        await this.worlds.act(world, { act: what, ...at })
    }
  }

  /** The plan of the school that the first item is, by its terms. */
  private nameOf(account: string, { items }: SubscriptionRow): PriceName | undefined {
    const row = this.worlds.moved.world
      .account(account)
      .table(priceTable)
      .get(items[0]?.price ?? '')
    return (Object.keys(prices) as PriceName[]).find((name) => {
      const { currency, unit_amount: amount, recurring } = prices[name]
      return row?.currency === currency && row.unit_amount === amount && row.recurring?.interval === recurring.interval
    })
  }
}

function isCalm({ status }: SubscriptionRow): boolean {
  return status === 'active' || status === 'trialing'
}

/**
 * An update before the first renewal may remove a discount, so a member with a discount gets no
 * such offer until then.
 */
function losesDiscount(
  { discounts, billing_cycle_anchor: anchor, trial_end: trial }: SubscriptionRow,
  now: number,
): boolean {
  return discounts.length > 0 && now <= Math.max(anchor, trial ?? 0)
}

/** What the portal offers for this subscription; nothing where it makes no sense. */
function changeOf(name: PriceName | undefined, row: SubscriptionRow, what: Edit): Change | undefined {
  const ends = row.cancel_at !== null || row.cancel_at_period_end
  switch (what) {
    case 'card':
      return { what }
    case 'plan': {
      const plan = name === undefined ? undefined : otherPlan[name]
      return plan === undefined ? undefined : { what, plan }
    }
    case 'quantity':
      return { what, quantity: ((row.items[0]?.quantity ?? 1) % 5) + 1 }
    case 'end':
      return ends ? undefined : { what }
    case 'keep':
      return ends ? { what } : undefined
    case 'pause':
      return row.pause_collection === null ? { what } : undefined
    case 'unpause':
      return row.pause_collection === null ? undefined : { what }
  }
}
