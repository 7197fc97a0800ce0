import { Maker } from '../../src/sandbox/population/maker.ts'
import { charges, invoices, type ChargeRow, type InvoiceRow } from '../../src/sandbox/stripe/billing/rows.ts'
import { paymentMethods } from '../../src/sandbox/stripe/payment-method-row.ts'
import { goesOn, isLive, sidesOf } from './ground.ts'
import type { Departures } from './departures.ts'
import type { Happening } from './happenings.ts'
import { markCarried } from '../../src/live/marks.ts'
import type { Life } from './life.ts'
import { Broken } from './promises.ts'
import type { BothWorlds, Member } from './world.ts'

type Which = 'moved' | 'controlRun'

/** A payment or an invoice of the same member in both worlds. */
interface Pair<T> {
  readonly moved: { readonly account: string; readonly row: T }
  readonly controlRun: { readonly account: string; readonly row: T }
}

const deeds = ['dispute', 'give back', 'give up', 'pay page', 'replace card', 'waive', 'lose card'] as const
type Deed = Extract<Happening, { readonly do: (typeof deeds)[number] }>

export function isOfBanks(happening: Happening): happening is Deed {
  return deeds.some((one) => one === happening.do)
}

interface Around {
  readonly worlds: BothWorlds
  readonly life: Life
  readonly departures: Departures
  readonly note: (text: string) => void
  readonly count: (name: string) => void
}

function periodsOf({ lines }: InvoiceRow): ReadonlySet<string> {
  return new Set(lines.map(({ period: { start, end } }) => `${start}-${end}`))
}

/** What banks, card networks and people at the Dashboard do to payments and invoices. */
export class Banks {
  private readonly worlds: BothWorlds
  private readonly life: Life
  private readonly departures: Departures
  private readonly note: (text: string) => void
  private readonly count: (name: string) => void

  /** Periods that the school waived, by member. */
  private readonly waived: { readonly member: Member; readonly periods: ReadonlySet<string> }[] = []

  constructor({ worlds, life, departures, note, count }: Around) {
    this.worlds = worlds
    this.life = life
    this.departures = departures
    this.note = note
    this.count = count
  }

  async happen(deed: Deed, member: Member): Promise<void> {
    switch (deed.do) {
      case 'dispute':
        if (!this.canDispute(member)) return undefined
        return this.departures.follow(member, deed, () => this.dispute(member))
      case 'give back':
        return this.giveBack(member, deed.how)
      case 'give up':
        return this.giveUp(member)
      case 'pay page':
        return this.payPage(member)
      case 'replace card':
        return this.replaceCard(member)
      case 'waive':
        return this.waive(member, deed)
      case 'lose card':
        return this.loseCard(member)
    }
  }

  /** Whose newest payment can be disputed, in an account whose subscription still lives. */
  private canDispute(member: Member): boolean {
    const sides = sidesOf(this.worlds, member)
    const { controlRun } = sides
    return controlRun !== undefined && isLive(controlRun) && goesOn(sides) && this.disputable(member) !== undefined
  }

  /** The member takes a payment back at the bank; every account cancels what was disputed. */
  private async dispute(member: Member): Promise<void> {
    const found = this.disputable(member)
    if (found === undefined) return
    const { account, subscription } = found
    const { held } = sidesOf(this.worlds, member)
    this.count(account === 'target' ? 'disputes_in_target' : held ? 'disputes_on_hold' : 'disputes_at_source')
    this.note(`${member.key}: a payment is disputed in ${account}, which cancels ${subscription}`)
    const body = JSON.stringify({ account, dispute_cancels: true })
    await this.worlds.moved.fetch('http://sandbox/_sandbox/settings', { method: 'POST', body })
    await this.worlds.act('moved', { act: 'dispute', account, subscription })
  }

  private disputable(member: Member): { readonly account: string; readonly subscription: string } | undefined {
    const { old, live } = sidesOf(this.worlds, member)
    const all = [
      ...live.map(({ id }) => ({ account: 'target', subscription: id })),
      ...(old !== undefined && isLive(old) ? [{ account: member.account, subscription: old.id }] : []),
    ]
    return all.find(({ account, subscription }) => this.paid('moved', account, subscription) !== undefined)
  }

  /** Somebody at the school gives the newest payment back, in whichever account took it. */
  private giveBack(member: Member, how: 'refund' | 'credit note'): void {
    const pair = this.inBoth(member, (...at) => this.paid(...at))
    if (pair === undefined || pair.moved.row.amount !== pair.controlRun.row.amount) return
    this.count(how === 'refund' ? 'refunds' : 'credit_notes')
    this.note(`${member.key}: ${how} of the newest payment, in ${pair.moved.account}`)
    for (const which of ['moved', 'controlRun'] as const) {
      const { account, row } = pair[which]
      if (how === 'refund') this.post(which, account, '/v1/refunds', { charge: row.id })
      else {
        const { amount } = row
        this.post(which, account, '/v1/credit_notes', { invoice: row.invoice ?? '', amount, refund_amount: amount })
      }
    }
  }

  /** A part of an unpaid invoice is given up. */
  private giveUp(member: Member): void {
    const pair = this.inBoth(member, (...at) => this.unpaid(...at))
    if (pair === undefined || pair.moved.row.amount_due !== pair.controlRun.row.amount_due) return
    this.count('invoices_lowered')
    this.note(`${member.key}: a credit note lowers the unpaid invoice, in ${pair.moved.account}`)
    for (const which of ['moved', 'controlRun'] as const) {
      const { account, row } = pair[which]
      this.post(which, account, '/v1/credit_notes', { invoice: row.id, amount: Math.ceil(row.amount_due / 4) })
    }
  }

  /** "We waive this month": the unpaid invoice is no debt any more, in whichever account it is. */
  private waive(member: Member, { how, said }: Extract<Deed, { readonly do: 'waive' }>): void {
    const pair = this.inBoth(member, (...at) => this.unpaid(...at))
    if (pair === undefined || pair.moved.row.amount_due !== pair.controlRun.row.amount_due) return
    this.count('invoices_waived')
    this.note(`${member.key}: the unpaid invoice is waived (${how}), in ${pair.moved.account}`)
    for (const which of ['moved', 'controlRun'] as const) {
      const { account, row } = pair[which]
      this.post(which, account, `/v1/invoices/${row.id}/${how}`, {})
    }
    this.waived.push({ member, periods: periodsOf(pair.moved.row) })
    if (!said || pair.moved.account !== 'target') return
    this.count('waives_said')
    this.worlds.override(member.key, ['leave_waived_period'])
  }

  /**
   * Promise 1: no account bills a period that was waived. A member whose card was declined is
   * compared with no other world, so this is asked of the invoices.
   */
  billsNothingWaived(): void {
    for (const { member, periods } of this.waived) {
      const all = [...(this.worlds.moved.world.accounts.get(member.account)?.table(invoices).all() ?? [])]
      const billed = all.find(
        (row) =>
          row.status !== 'void' &&
          row.metadata[markCarried]?.startsWith(`${member.key} `) === true &&
          [...periodsOf(row)].some((period) => periods.has(period)),
      )
      if (billed !== undefined)
        throw new Broken(`promise 1: ${billed.id} bills a period of ${member.key} that was waived`)
    }
  }

  /** Nobody charges the old card during the hold, so its loss is seen by a revert alone. */
  private loseCard(member: Member): void {
    const theirs = this.worlds.members.filter(({ customer }) => customer === member.customer)
    const all = theirs.map((one) => sidesOf(this.worlds, one))
    if (!all.every(({ held, live }) => held && live.length === 1)) return
    const { world } = this.worlds.moved
    const account = world.account(member.account)
    const methods = [...account.table(paymentMethods).by('customer', member.customer)]
    if (methods.length === 0) return
    this.count('cards_lost_on_hold')
    this.note(`${member.key}: the card is detached in ${member.account}, during the hold`)
    for (const one of theirs) {
      Object.assign(this.life.of(one), { cards: true })
      this.worlds.override(one.key, [])
    }
    for (const { id } of methods)
      world.transact(() => new Maker(world).post(account, `/v1/payment_methods/${id}/detach`, {}))
  }

  /** The member pays the unpaid invoice on its page, with a card for this once. */
  private async payPage(member: Member): Promise<void> {
    const pair = this.inBoth(member, (...at) => this.unpaid(...at))
    if (pair === undefined || pair.moved.row.amount_due !== pair.controlRun.row.amount_due) return
    this.count('paid_on_page')
    this.note(`${member.key}: the unpaid invoice is paid on its page, in ${pair.moved.account}`)
    for (const which of ['moved', 'controlRun'] as const) {
      const { account, row } = pair[which]
      await this.worlds.act(which, { act: 'pay_invoice', account, invoice: row.id })
    }
  }

  /** The card network tells the old account alone of a new number. The copy keeps the old one. */
  private async replaceCard(member: Member): Promise<void> {
    const { old, controlRun } = sidesOf(this.worlds, member)
    if (old === undefined || !isLive(old) || controlRun === undefined || !isLive(controlRun)) return
    for (const one of this.worlds.members) if (one.customer === member.customer) this.life.of(one).replaced = true
    this.count('cards_replaced')
    this.note(`${member.key}: the bank replaces the card, and ${member.account} alone hears of it`)
    for (const which of ['moved', 'controlRun'] as const)
      await this.worlds.act(which, {
        act: 'replace_card',
        account: member.account,
        subscription: member.old,
        last4: '9999',
      })
  }

  private inBoth<T>(
    member: Member,
    find: (which: Which, account: string, subscription: string) => T | undefined,
  ): Pair<T> | undefined {
    const { live } = sidesOf(this.worlds, member)
    const places = [
      ...live.map(({ id }) => ({ account: 'target', subscription: id })),
      { account: member.account, subscription: member.old },
    ]
    const there = find('controlRun', member.account, member.old)
    for (const { account, subscription } of places) {
      const here = find('moved', account, subscription)
      if (here !== undefined && there !== undefined)
        return { moved: { account, row: here }, controlRun: { account: member.account, row: there } }
    }
    return undefined
  }

  /** The newest payment that nothing was given back of. */
  private paid(which: Which, account: string, subscription: string): ChargeRow | undefined {
    const all = [...this.worlds[which].world.account(account).table(charges).all()]
    return all.findLast(
      (row) =>
        row.subscription === subscription &&
        row.status === 'succeeded' &&
        !row.disputed &&
        row.amount_refunded === 0 &&
        row.amount > 0 &&
        !this.paidMore(which, account, row),
    )
  }

  /** The payment also covered a balance owed by the customer, which no credit note gives back. */
  private paidMore(which: Which, account: string, { invoice, amount }: ChargeRow): boolean {
    const row = this.worlds[which].world
      .account(account)
      .table(invoices)
      .get(invoice ?? '')
    return row !== undefined && amount > row.total
  }

  private unpaid(which: Which, account: string, subscription: string): InvoiceRow | undefined {
    const all = [...this.worlds[which].world.account(account).table(invoices).all()]
    return all.findLast(
      (row) => row.subscription === subscription && row.status === 'open' && row.auto_advance && row.amount_due > 100,
    )
  }

  private post(which: Which, account: string, path: string, params: Record<string, string | number>): void {
    const { world } = this.worlds[which]
    world.transact(() => new Maker(world).post(world.account(account), path, params))
  }
}
