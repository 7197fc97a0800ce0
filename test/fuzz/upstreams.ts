import fc from 'fast-check'
import { acceptSignal } from '../../src/engine/inbox/accept.ts'
import { pollTags } from '../../src/engine/inbox/poll-tags.ts'
import { pollAccess } from '../../src/engine/inbox/poll.ts'
import { reconcile } from '../../src/engine/inbox/reconcile.ts'
import type { Signal } from '../../src/cancel/signal.ts'
import { present } from '../../src/core/assert.ts'
import { CommandError } from '../../src/core/outcome.ts'
import type { Member } from '../inbox/rig.ts'
import { send } from './doors.ts'
import { fault, Faults, type Fault } from './faults.ts'
import { findingOf, within, type Finding, type FuzzOptions } from './fuzz.ts'
import { openGround, type Ground } from './ground.ts'

interface Case {
  readonly asks: Signal['source'] & ('relay' | 'hook' | 'link' | 'operator' | 'form' | 'source_account')
  readonly who: number
  /** Whether the member looks at the cancel page and the card page first. */
  readonly looks: boolean
  /** By the number of the request, from the first after the signal. */
  readonly faults: readonly (readonly [number, Fault])[]
}

const cases: fc.Arbitrary<Case> = fc.record({
  asks: fc.constantFrom('relay', 'hook', 'link', 'operator', 'form', 'source_account'),
  who: fc.nat(2),
  looks: fc.boolean(),
  faults: fc.array(fc.tuple(fc.nat(24), fault), { minLength: 1, maxLength: 6 }),
})

/** More requests than any signal needs, with all its retries. */
const most = 1_500

/**
 * Lets a member ask, and changes what Stripe and Kajabi answer. Whatever they say, the service ends
 * its work, meets no bug and cancels no other member. When all faults broke an answer and none told
 * a lie, the member is cancelled in the end, or a person is told.
 */
export async function fuzzUpstreams({ seed, runs, shrink, ...options }: FuzzOptions): Promise<Finding> {
  const property = fc.asyncProperty(cases, async (one) => {
    const faults = new Faults(one.faults)
    const ground = await openGround(3, { ...options, between: (fetch) => faults.between(fetch) })
    try {
      const member = present(ground.members[one.who], 'member')
      ground.asked.add(member)
      const signal = await askedBy(ground, one.asks, member)
      faults.begin()
      if (one.looks) await lookAt(ground, [`/cancel/$LINK${one.who}`, `/card/$CARD${one.who}`])
      const { id } = await acceptSignal(ground.context, signal)
      await within(ground.work(12), 'the worker')
      await within(duties(ground), 'a duty')
      if (faults.requests > most) throw new Error(`${faults.requests} requests for one signal`)
      faults.end()
      await within(ground.work(12), 'the worker')
      const wrong = await ground.wrong()
      if (wrong !== undefined) throw new Error(wrong)
      if (one.faults.some(([, { fault }]) => fault === 'edited' || fault === 'mixed_up')) return
      const { now } = present((await ground.rig.store.inbox.get(id))?.row, 'row')
      if (one.asks !== 'form' && now.state !== 'done' && now.state !== 'dead' && (await stillPays(ground, member)))
        throw new Error(`${member.subscriber} still pays, and their signal is ${JSON.stringify(now)}`)
    } finally {
      await ground.close()
    }
  })
  return findingOf(await fc.check(property, { seed, numRuns: runs, endOnFailure: shrink === false }))
}

/** Opens pages of a member. The card page may say that Stripe is not available (503). */
async function lookAt(ground: Ground, pages: readonly string[]): Promise<void> {
  const plain = { listener: 'open', method: 'GET', headers: [], body: '', signed: 'no', framing: 'none' } as const
  for (const path of pages) {
    const { status, text } = await send(ground, { ...plain, path })
    if (status === undefined || (status >= 500 && status !== 503))
      throw new Error(`${path} answers ${text.slice(0, 200)}`)
  }
}

/** The poller and the reconciliation read the same answers. */
async function duties({ context }: Ground): Promise<void> {
  const seen = new Map<string, 'once' | 'told'>()
  await pollTags(context, seen)
  await pollTags(context, seen)
  await pollAccess(context)
  try {
    await reconcile(context)
  } catch (error) {
    // A list that cannot be read stops a reconciliation, with words.
    if (!(error instanceof CommandError)) throw error
  }
}

async function askedBy({ rig }: Ground, source: Case['asks'], member: Member): Promise<Signal> {
  const { contact, subscriber, customer } = member
  const common = { receivedAt: rig.now(), message: 'asked' } as const
  switch (source) {
    case 'hook':
      await rig.act({ act: 'add_tag', contact, tag: rig.tag })
      return { ...common, source, event: 'tag_added', contact, tag: rig.tag }
    case 'form':
      return { ...common, source, event: 'form_submission', offer: 'membership', message: '1' }
    case 'relay':
      return { ...common, source, event: 'cancel', offer: 'membership', contact, customer }
    case 'source_account':
      return { ...common, source, event: 'old_subscription_cancelled', subscriber, customer }
    case 'link':
    case 'operator':
      return { ...common, source, event: 'cancel', offer: 'membership', subscriber }
  }
}

async function stillPays({ rig }: Ground, { old, successor }: Member): Promise<boolean> {
  const states = [await rig.status('us', old)]
  if (successor !== undefined) states.push(await rig.status('target', successor))
  return states.includes('active')
}

const onPage = fc.record({
  page: fc.constantFrom('/cancel/$LINK', '/card/$CARD', '/cancel/$LINK'),
  who: fc.nat(2),
  faults: fc.array(fc.tuple(fc.nat(6), fault), { minLength: 1, maxLength: 4 }),
})

/** Opens a member's pages while Stripe's answers are changed. */
export async function fuzzPages({ seed, runs, shrink, ...options }: FuzzOptions): Promise<Finding> {
  const faults = new Faults()
  const ground = await openGround(3, { ...options, between: (fetch) => faults.between(fetch) })
  try {
    const property = fc.asyncProperty(onPage, async ({ page, who, faults: list }) => {
      faults.begin(list)
      await lookAt(ground, [`${page}${who}`])
      faults.end()
      const wrong = await ground.wrong()
      if (wrong !== undefined) throw new Error(wrong)
    })
    return findingOf(await fc.check(property, { seed, numRuns: runs, endOnFailure: shrink === false }))
  } finally {
    await ground.close()
  }
}
