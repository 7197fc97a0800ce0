import { instant, type Instant } from '../../core/instant.ts'
import { acceptSignal } from '../inbox/accept.ts'
import type { InboxContext } from '../inbox/context.ts'
import { workInbox } from '../inbox/worker.ts'
import { mortal, type Boundary } from './mortal.ts'
import type { RehearsalWorld } from './world.ts'

const rowsAtOnce = 50
const turnsMax = 30
/**
 * The service's own clock runs fast, so that retries and expired leases are due at the next pass.
 */
const secondsBetweenLooks = 50_000

export interface RehearsalService {
  /** How often the service was killed. */
  readonly kills: () => number
  /**
   * Accepts a member's cancel, made in Kajabi or found on a held subscription after an old link,
   * and processes it until it is done.
   */
  cancel(subscriber: string, heard: 'in Kajabi' | 'from the old account'): Promise<void>
}

/**
 * The cancel service of a simulated world: the product's own inbox and worker, killed where `dies`
 * chooses and started again.
 */
export function rehearsalService(
  world: RehearsalWorld,
  { seconds, dies }: { readonly seconds: Instant; readonly dies: (boundary: Boundary) => boolean },
): RehearsalService {
  let clock: number = seconds
  let lives = 0
  let kills = 0
  const inboxOf = (context: RehearsalWorld['context']): InboxContext => ({
    accounts: context.accounts,
    store: context.store,
    inbox: world.inbox,
    kajabi: undefined,
    access: { offers: {} },
    mappings: new Map(),
    resources: [],
    moved: new Map(),
    policy: { cancel: 'now', cancelsPerHour: 1_000_000, secondLookSeconds: 0 },
    alert() {},
    log() {},
    run: `service-${++lives}`,
    interrupt: context.interrupt,
    clock: () => instant((clock += secondsBetweenLooks)),
    random: () => 0,
    wait: async () => {},
  })
  return {
    kills: () => kills,
    async cancel(subscriber, heard) {
      const receivedAt = world.accounts.target.now()
      const how =
        heard === 'in Kajabi'
          ? ({ source: 'operator', event: 'cancel' } as const)
          : ({ source: 'source_account', event: 'old_subscription_cancelled' } as const)
      await acceptSignal(inboxOf(world.context), {
        ...how,
        subscriber,
        receivedAt,
        message: `${subscriber} ${receivedAt}`,
      })
      for (let turn = 0; turn < turnsMax; turn++) {
        const { states } = await world.inbox.counts()
        if (states.received + states.verifying + states.cancelling + states.retry === 0) return
        const life = mortal(world.context, dies)
        await workInbox(inboxOf(life.context), rowsAtOnce)
        if (life.dead()) kills += 1
      }
    },
  }
}
