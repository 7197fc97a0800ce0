import { inStage } from '../../catalog/subscribers.ts'
import { digest } from '../../core/canonical.ts'
import { askMembers } from '../cards/ask.ts'
import { askable, type Askable } from '../cards/askable.ts'
import type { CardContext } from '../cards/context.ts'
import { openCardPage } from '../cards/session.ts'
import { cardState } from '../cards/state.ts'
import { survey } from '../plan/survey.ts'
import { cardsOf } from '../verify/cards.ts'
import { chance } from './chance.ts'
import type { RehearsalWorld } from './world.ts'

/** The page is never opened in a rehearsal: the member acts on the page of Stripe alone. */
const returnTo = 'https://school.example/card'

/**
 * Members who are asked for a card, and enter one on Stripe's page with this probability. A member
 * who does not answer the first time never does, the same for the same seed.
 */
export class Answering {
  readonly asked = new Set<string>()
  readonly answered = new Set<string>()
  private readonly world: RehearsalWorld
  private readonly share: number
  private readonly seed: number

  constructor(world: RehearsalWorld, { share, seed }: { readonly share: number; readonly seed: number }) {
    this.world = world
    this.share = share
    this.seed = seed
  }

  /** Asks everybody whose card is missing or will probably fail, and who was not asked before. */
  async ask(): Promise<void> {
    const { world } = this
    const { catalog } = world.context
    // Those of later waves are asked in time as well.
    const subscribers = catalog.subscribers.map((one) => (one.stage === 'source' ? inStage(one, 'target') : one))
    const context = {
      ...world.context,
      catalog: { ...catalog, subscribers, digest: digest([catalog.digest, 'asked for cards']) },
    }
    const seen = await survey(context)
    const found = askable(seen, await cardsOf(context, seen)).askable
    const wanted = found.filter(({ codes, owner }) => codes.length > 0 && !this.answered.has(owner.subscriber))
    const fresh = wanted.filter(({ owner }) => !this.asked.has(owner.subscriber))
    const cards: CardContext = { ...context, clock: () => world.accounts.target.now() }
    await askMembers(cards, fresh, { link: () => returnTo })
    for (const one of fresh) this.asked.add(one.owner.subscriber)
    for (const one of wanted) if (this.answers(one)) await this.enter(cards, one)
  }

  private answers({ owner }: Askable): boolean {
    return chance(this.seed, `${owner.subscriber} enters a card`) < this.share
  }

  /** A request that fails leaves the member on the page: they try again the next time. */
  private async enter(context: CardContext, { owner }: Askable): Promise<void> {
    const opened = await openCardPage(context, owner, returnTo)
    if (!opened.ok || opened.value.state !== 'page') return
    const session = opened.value.url.split('/').at(-1) ?? ''
    await this.world.act('target', { act: 'enter_card', session })
    const done = await cardState(context, owner)
    if (done.ok && done.value.state === 'entered') this.answered.add(owner.subscriber)
  }
}
