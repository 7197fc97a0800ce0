import { present } from '../../src/core/assert.ts'
import { instant, secondsPerHour } from '../../src/core/instant.ts'
import { siteOf } from '../../src/sandbox/kajabi/module.ts'
import { collectedNow, emailOf, goesOn, heldOffers, isLive, offerOfMember, sidesOf } from './ground.ts'
import type { Happening } from './happenings.ts'
import { Broken, onlyTheyLeft, stopsNoCollection, whoGoesOn } from './promises.ts'
import { order } from './service.ts'
import type { Member, BothWorlds } from './world.ts'

/** The time between a dead letter and the operator's answer. */
const answerSeconds = 20 * 60

type Cancel = Extract<Happening, { readonly do: 'cancel' }>

/**
 * Members who leave, by every door, and the service that must receive their requests. (Promise 9.)
 */
export class Departures {
  private readonly worlds: BothWorlds
  private readonly note: (text: string) => void
  private readonly count: (name: string) => void

  constructor(worlds: BothWorlds, note: (text: string) => void, count: (name: string) => void) {
    this.worlds = worlds
    this.note = note
    this.count = count
  }

  async leave(member: Member, happening: Cancel): Promise<void> {
    const { controlRun } = sidesOf(this.worlds, member)
    if (controlRun === undefined || !isLive(controlRun) || !goesOn(sidesOf(this.worlds, member))) return
    return this.follow(member, happening, () => this.say(member, happening))
  }

  /** A member leaves by what `say` does, and the service hears of it. */
  async follow(member: Member, happening: Pick<Cancel, 'diesAt'>, say: () => Promise<void>): Promise<void> {
    const before = whoGoesOn(this.worlds)
    const dead = new Set(await this.worlds.service.rows('dead'))
    this.count('cancels')
    await say()
    const collected = collectedNow(this.worlds)
    if (happening.diesAt !== undefined && (await this.dies(happening.diesAt))) {
      this.count('kills')
      this.count('kills_of_service')
      this.note('the cancel service is killed')
    }
    await this.work()
    if (whoGoesOn(this.worlds).size === before.size && (await this.worlds.service.rows('dead')).length === dead.size) {
      // The same tag within minutes counts as the same request. It stays until the request is done,
      // and the next look finds it.
      this.count('found_by_the_poller')
      await this.worlds.service.poll()
      await this.work()
    }
    const who = await this.answered(member, before, dead)
    onlyTheyLeft(this.worlds, who, before)
    stopsNoCollection(this.worlds, collected)
    const unmoved = sidesOf(this.worlds, who).controlRun
    if (unmoved !== undefined && isLive(unmoved))
      await this.worlds.act('controlRun', { act: 'cancel', when: 'now', account: who.account, subscription: who.old })
  }

  private async say(member: Member, { by, arrives }: Cancel): Promise<void> {
    const { service, moved } = this.worlds
    const { live, old } = sidesOf(this.worlds, member)
    const contact = siteOf(moved.world).contactOf(emailOf(this.worlds, member))
    if (by === 'signal' || (by === 'hook' && contact === undefined)) {
      this.count('cancels_by_operator')
      this.note(`${member.key} cancels by mail`)
      return service.operator(member.key)
    }
    if (by === 'hook' && contact !== undefined) return this.tag(member, contact.id, arrives)
    const [successor] = live
    // An old link leads nowhere after the old subscription has ended.
    const isNew = successor !== undefined && (by === 'new door' || old === undefined || !isLive(old))
    const subscription = isNew ? successor.id : member.old
    const account = isNew ? 'target' : member.account
    this.count(isNew ? 'cancels_in_new_portal' : 'cancels_by_old_door')
    this.note(`${member.key} cancels in the portal of ${account}`)
    await this.worlds.act('moved', { act: 'cancel', when: 'now', account, subscription })
  }

  /** The tag is set in Kajabi, which calls the hook once, twice, hours late, or never. */
  private async tag(member: Member, contact: string, arrives: Cancel['arrives']): Promise<void> {
    const { service, moved } = this.worlds
    const [tag = ''] = service.access.offers[offerOfMember(member)]?.cancel_tags ?? []
    this.count('cancels_by_hook')
    this.count(`hooks_${arrives}`)
    this.note(`${member.key} cancels in Kajabi; the hook comes ${arrives}`)
    service.arrival = arrives
    await order(moved, { act: 'add_tag', contact, tag })
    await service.delivered()
    service.arrival = arrives === 'twice' ? 'twice' : 'once'
    if (arrives === 'late') await this.worlds.advance(instant(this.worlds.now() + 2 * secondsPerHour))
    if (arrives === 'lost') await service.poll()
    service.arrival = 'once'
  }

  private dies(diesAt: number): Promise<boolean> {
    return this.worlds.service.look(({ request, side }) => diesAt === request * 2 + (side === 'before' ? 0 : 1))
  }

  /** Processes all waiting signals. */
  async work(): Promise<void> {
    if (!(await this.worlds.service.work())) throw new Broken('promise 9: a cancel is pending for ever')
    await this.worlds.service.delivered()
    if (!(await this.worlds.service.work())) throw new Broken('promise 9: a signal is pending for ever')
  }

  /**
   * In the end the member has left, or no subscription was cancelled and an alarm exists; the
   * operator then asks and cancels the right one.
   */
  private async answered(member: Member, before: ReadonlySet<string>, dead: ReadonlySet<string>): Promise<Member> {
    const { service, members } = this.worlds
    const after = whoGoesOn(this.worlds)
    const gone = members.filter(({ key }) => before.has(key) && !after.has(key))
    const [first] = gone
    const alike = members.filter(
      (one) => one.customer === member.customer && offerOfMember(one) === offerOfMember(member),
    )
    if (gone.length === 1 && first !== undefined && alike.includes(first)) return first
    if (gone.length > 0)
      throw new Broken(`promise 9: ${gone.map(({ key }) => key).join(', ')} left when ${member.key} asked to`)
    const letters = (await service.rows('dead')).filter((id) => !dead.has(id))
    if (letters.length === 0) throw new Broken(`promise 9: the request of ${member.key} was lost`)
    for (const id of letters)
      if (!service.alerts.some(({ key }) => key === `dead ${id}`))
        throw new Broken(`promise 9: no alert reports the dead letter ${id}`)
    this.count('dead_letters')
    // A person needs some time to read it and to ask.
    this.worlds.service.jump(answerSeconds)
    this.note(`a dead letter; ${member.key} is cancelled by hand`)
    await this.removeTags(member)
    // The minute-by-minute poll finds the tag removed.
    await service.poll()
    await service.operator(member.key)
    await this.work()
    return member
  }

  private async removeTags(member: Member): Promise<void> {
    const { moved, service } = this.worlds
    const contact = present(siteOf(moved.world).contactOf(emailOf(this.worlds, member)), 'contact')
    for (const { cancel_tags: tags = [] } of Object.values(service.access.offers))
      for (const tag of tags)
        if (contact.tags.includes(tag)) await order(moved, { act: 'remove_tag', contact: contact.id, tag })
  }

  /**
   * An old body arrives again, perhaps for a member who has subscribed again since: no subscription
   * is cancelled.
   */
  async hearAgain(which: number): Promise<void> {
    const { service } = this.worlds
    const body = service.heard[which % Math.max(1, service.heard.length)]
    if (body === undefined) return
    this.count('old_hooks')
    this.note('an old hook comes once more')
    const before = whoGoesOn(this.worlds)
    await service.hook(body)
    await this.work()
    this.noneLeft(before, 'an old hook')
  }

  async poll(): Promise<void> {
    this.count('polls')
    this.note('the pollers look')
    const before = whoGoesOn(this.worlds)
    await this.worlds.service.poll()
    await this.work()
    this.noneLeft(before, 'a poll of Kajabi')
  }

  /** In Kajabi a revoke is not a cancel. */
  async revoke(member: Member): Promise<void> {
    const email = emailOf(this.worlds, member)
    const offer = offerOfMember(member)
    if (!heldOffers(this.worlds, email).includes(offer)) return
    this.count('revokes_by_hand')
    this.note(`an administrator revokes ${offer} from the holder of ${member.key}`)
    const before = whoGoesOn(this.worlds)
    const id = this.worlds.service.access.offers[offer]?.kajabi ?? ''
    await order(this.worlds.moved, { act: 'revoke', contact: email, offer: id })
    await this.worlds.service.delivered()
    await this.work()
    this.noneLeft(before, 'a revoke')
  }

  private noneLeft(before: ReadonlySet<string>, by: string): void {
    const after = whoGoesOn(this.worlds)
    for (const key of before) if (!after.has(key)) throw new Broken(`promise 9: ${key} was cancelled by ${by}`)
  }
}
