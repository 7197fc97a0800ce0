import type { Stage } from '../../src/catalog/types.ts'
import { formatInstant, instant, parseInstant, type Instant } from '../../src/core/instant.ts'
import { isJsonObject, type JsonObject } from '../../src/core/json.ts'
import { acceptSignal } from '../../src/engine/inbox/accept.ts'
import type { InboxContext } from '../../src/engine/inbox/context.ts'
import { workInbox } from '../../src/engine/inbox/worker.ts'
import { applyLease } from '../../src/engine/lease.ts'
import { Killed, mortal } from '../../src/engine/mortal.ts'
import type { Context } from '../../src/engine/context.ts'
import { markCarried, markFrom, undoneComment } from '../../src/handover/marks.ts'
import { cloneSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts'
import { injectedFaults, setFaults, type FaultPlan } from '../../src/sandbox/faults.ts'
import { invoices, subscriptions, type SubscriptionRow } from '../../src/sandbox/stripe/billing/rows.ts'
import { chargesOf } from '../../src/sandbox/stripe/charges.ts'
import type { Store } from '../../src/engine/ports.ts'
import { openStore, type OpenStore } from '../../src/store/open.ts'
import { members, type Member, type Members } from '../engine/members.ts'
import type { WorldCharge } from '../../src/engine/rehearse/compare-charges.ts'

/** A small school about to migrate, and its twin, in which nobody does. */
export interface TwinWorlds extends AsyncDisposable {
  readonly school: Members
  readonly keys: readonly string[]
  readonly now: () => Instant
  /** The engine's context with everybody at the stage last written for them. */
  context(): Context
  /** The store is gone; an empty one takes its place, into which only the copy map was imported again. */
  loseStore(): Promise<void>
  stageOf(member: number): Stage
  write(member: number, stage: Stage): void
  advance(to: Instant): Promise<void>
  /** What a member does in the portal that bills them (or in the old one), in both worlds at once. */
  act(member: number, what: JsonObject, door: 'new' | 'old'): Promise<string>
  /** The bank refuses this card from now on, in whichever account it is charged. False for somebody who was not moved yet. */
  decline(member: number): Promise<boolean>
  faults(plan: FaultPlan | undefined): void
  injected(): number
  /** A cancel arrives, signed and bound; worked on later. In the twin the member cancels at once. */
  cancelSignal(member: number, twinToo: boolean): Promise<void>
  /** Works the inbox; with a number, dies at that boundary. True when it died. */
  workSignals(diesAt?: number): Promise<boolean>
  pendingSignals(): Promise<number>
  /** Who could charge this member at their next renewal: never more than one. Read from the world itself, at any instant. */
  payers(member: number): readonly string[]
  /** Whether the old subscription is alive and on hold. */
  held(member: number): boolean
  /** Whether the member would still be billed if nobody had migrated. */
  alive(member: number): boolean
  charges(): { readonly expected: readonly WorldCharge[]; readonly actual: readonly WorldCharge[] }
}

/** A period that a revert left uncharged on both sides is billed, so that nothing is missed in either world. */
const policies = 'policies: { uncharged_period: invoice }\n'

const liveStatuses = new Set(['active', 'trialing', 'past_due'])

export async function twinWorlds(people: readonly Member[], now: string): Promise<TwinWorlds> {
  const school = await members(people, now)
  const moved = school.rig.sandbox
  const twin = cloneSandbox(moved)
  const began = moved.clock()
  const store = await openStore({ file: ':memory:' })
  const stages: Stage[] = people.map(() => 'source')
  let faultsSoFar = 0
  const lives: { store: Store } = { store: school.rig.context.store }
  const successorsOf = (member: number): SubscriptionRow[] =>
    rowsOf(moved, 'target').filter(
      (row) =>
        row.metadata[markFrom] === school.keys[member] &&
        liveStatuses.has(row.status) &&
        row.cancellation_details.comment?.startsWith(undoneComment) !== true,
    )
  const worlds: TwinWorlds = {
    school,
    keys: school.keys,
    now: () => moved.clock(),
    context: () => ({ ...school.stage((index) => stages[index] ?? 'source', policies), store: lives.store }),
    async loseStore() {
      const fresh = await openStore({ file: ':memory:' })
      for await (const row of lives.store.copyMap()) await fresh.putCopyMap([row])
      lives.store = fresh
    },
    stageOf: (member) => stages[member] ?? 'source',
    write: (member, stage) => void (stages[member] = stage),
    async advance(to) {
      await school.rig.advance(to)
      await control(twin, 'clock', { to: formatInstant(to) })
    },
    async act(member, what, door) {
      const old = school.subscriptions[member] ?? ''
      const [live] = successorsOf(member)
      const oldLives = rowsOf(moved, 'us').some(({ id, status }) => id === old && liveStatuses.has(status))
      // An old link leads nowhere once the old subscription is gone.
      const at = live !== undefined && (door === 'new' || !oldLives) ? live.id : old
      const account = at === old ? 'us' : 'target'
      await control(moved, 'act', { ...what, account, subscription: at })
      await control(twin, 'act', { ...what, account: 'us', subscription: old })
      return account
    },
    async decline(member) {
      const [live] = successorsOf(member)
      if (live === undefined) return false
      const old = { act: 'decline_card', account: 'us', subscription: school.subscriptions[member] ?? '' }
      await control(moved, 'act', old)
      await control(moved, 'act', { act: 'decline_card', account: 'target', subscription: live.id })
      await control(twin, 'act', old)
      return true
    },
    faults(plan) {
      faultsSoFar += injectedFaults(moved.world).length
      setFaults(moved.world, plan)
    },
    injected: () => faultsSoFar + injectedFaults(moved.world).length,
    async cancelSignal(member, twinToo) {
      const subscriber = school.keys[member] ?? ''
      const message = `wish-${member}-${moved.clock()}`
      const signal = { source: 'operator', event: 'cancel', subscriber, receivedAt: moved.clock(), message } as const
      await acceptSignal(inboxOf({ ...school.rig.context, store: lives.store }, store), signal)
      if (!twinToo) return
      await control(twin, 'act', {
        act: 'cancel',
        when: 'now',
        account: 'us',
        subscription: school.subscriptions[member] ?? '',
      })
    },
    async workSignals(diesAt) {
      const life = mortal(
        { ...school.rig.context, store: lives.store },
        ({ request, side }) => diesAt === request * 2 + (side === 'before' ? 0 : 1),
      )
      try {
        await workInbox(inboxOf(life.context, store), 50)
      } catch (error) {
        if (!(error instanceof Killed)) throw error
      }
      return life.dead()
    },
    async pendingSignals() {
      const { states } = await store.inbox.counts()
      return states.received + states.verifying + states.cancelling + states.retry
    },
    payers(member) {
      const old = rowsOf(moved, 'us').find(({ id }) => id === school.subscriptions[member])
      const charging = old !== undefined && liveStatuses.has(old.status) && old.pause_collection === null
      return [...(charging ? ['us'] : []), ...successorsOf(member).map(({ id }) => `target ${id}`)]
    },
    held(member) {
      const old = rowsOf(moved, 'us').find(({ id }) => id === school.subscriptions[member])
      return old !== undefined && liveStatuses.has(old.status) && old.pause_collection !== null
    },
    alive: (member) =>
      rowsOf(twin, 'us').some(({ id, status }) => id === school.subscriptions[member] && liveStatuses.has(status)),
    charges() {
      const names = new Map(school.subscriptions.map((id, index) => [id, school.keys[index] ?? '']))
      return {
        expected: chargesIn(twin, names, began),
        actual: chargesIn(moved, withSuccessors(moved, names), began),
      }
    },
    async [Symbol.asyncDispose]() {
      await store.close()
      twin.close()
      await school[Symbol.asyncDispose]()
    },
  }
  return worlds
}

let runs = 0
/** The service's own clock runs fast: retries and the leases of the dead are over at the next look. */
let seconds = 1_900_000_000

/** The inbox over this context. */
function inboxOf(context: Context, store: OpenStore): InboxContext {
  return {
    accounts: context.accounts,
    store: context.store,
    inbox: store.inbox,
    kajabi: undefined,
    access: { offers: {} },
    policy: { cancel: 'now', cancelsPerHour: 1_000, secondLookSeconds: 0 },
    alert() {},
    log() {},
    run: `inbox-${++runs}`,
    interrupt: { requested: false },
    clock: () => instant((seconds += 50_000)),
    random: () => 0,
    wait: async () => {},
  }
}

async function control(sandbox: Sandbox, name: string, body: JsonObject): Promise<JsonObject> {
  const request = { method: 'POST', body: JSON.stringify(body) }
  const answer = await sandbox.fetch(`https://sandbox/_sandbox/${name}`, request)
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${name} ${JSON.stringify(body)}: ${text}`)
  const parsed: unknown = JSON.parse(text)
  return isJsonObject(parsed) ? parsed : {}
}

function withSuccessors(sandbox: Sandbox, names: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const all = new Map(names)
  for (const { id, metadata } of rowsOf(sandbox, 'target')) {
    const mark = metadata[markFrom]
    if (mark !== undefined) all.set(id, mark)
  }
  return all
}

function chargesIn(sandbox: Sandbox, names: ReadonlyMap<string, string>, since: Instant): WorldCharge[] {
  return chargesOf(sandbox.world).flatMap(({ status, subscription, invoice, account, at, amount, currency }) => {
    const when = parseInstant(at)
    if (status !== 'succeeded' || when === undefined || when <= since) return []
    const subscriber = names.get(subscription ?? '') ?? carriedFor(sandbox, account, invoice) ?? `unknown ${invoice}`
    return [{ subscriber, account, at: when, amount, currency }]
  })
}

/** An invoice of its own, for a period that a revert left uncharged, names its subscriber in its mark. */
function carriedFor(sandbox: Sandbox, account: string, invoice: string | null): string | undefined {
  const row = sandbox.world.accounts
    .get(account)
    ?.table(invoices)
    .get(invoice ?? '')
  return row?.metadata[markCarried]?.split(' ')[0]
}

function rowsOf(sandbox: Sandbox, account: string): SubscriptionRow[] {
  const world = sandbox.world.accounts.get(account)
  return world === undefined ? [] : [...world.table(subscriptions).all()]
}

/** The dead program's lease: a new life may begin at once. */
export async function bury(context: Context): Promise<void> {
  await context.store.breakLease(applyLease)
}
