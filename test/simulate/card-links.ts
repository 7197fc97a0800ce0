import { openCardPage } from '../../src/engine/cards/session.ts'
import { cardState } from '../../src/engine/cards/state.ts'
import { sweepCards } from '../../src/engine/cards/sweep.ts'
import type { CardContext } from '../../src/engine/cards/context.ts'
import { customers } from '../../src/sandbox/stripe/customer-row.ts'
import { goesOn, sidesOf } from './ground.ts'
import type { Life } from './life.ts'
import type { BothWorlds, Member } from './world.ts'

/** Members who enter a card on the page of their card link. Nothing else about them changes. */
export class CardLinks {
  private readonly worlds: BothWorlds
  private readonly life: Life
  private readonly note: (text: string) => void
  private readonly count: (name: string) => void

  constructor(worlds: BothWorlds, life: Life, note: (text: string) => void, count: (name: string) => void) {
    this.worlds = worlds
    this.life = life
    this.note = note
    this.count = count
  }

  async use(member: Member, returns: boolean): Promise<void> {
    const sides = sidesOf(this.worlds, member)
    const { controlRun, live } = sides
    const doings = this.life.of(member)
    const owner = this.worlds.moved.world.account('target').table(customers).get(member.customer)
    if (controlRun?.status !== 'active' || !goesOn(sides) || live.length > 1) return
    // A declined card has no counterpart in the control run.
    if (owner === undefined || owner.deleted || doings.declined) return
    const context = this.context()
    const about = { subscriber: member.key, customer: member.customer }
    const opened = await openCardPage(context, about, 'https://school.example/card/link')
    if (!opened.ok || opened.value.state !== 'page') {
      this.count('card_links_used_again')
      return
    }
    const session = opened.value.url.split('/').at(-1) ?? ''
    await this.worlds.act('moved', { act: 'enter_card', account: 'target', session, card: 'pm_card_mastercard' })
    doings.entered = true
    this.count(live.length > 0 ? 'cards_entered_after_move' : 'cards_entered_before_move')
    this.note(`${member.key}: enters a card${returns ? '' : ' and does not return'}`)
    const done = returns ? await cardState(context, about) : await sweepCards(context)
    if (!done.ok) this.count('card_links_unfinished')
  }

  private context(): CardContext {
    const context = this.worlds.context()
    return { ...context, clock: () => context.accounts.target.now() }
  }
}
