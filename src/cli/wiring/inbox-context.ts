import type { KajabiSite } from '../../engine/kajabi-port.ts'
import { accessIn } from '../../catalog/access-read.ts'
import { instant, type Instant } from '../../core/instant.ts'
import type { Json } from '../../core/json.ts'
import type { Alert, InboxContext, LogLine } from '../../engine/inbox/context.ts'
import type { StripeAccount } from '../../engine/ports.ts'
import { connectOfferUrls } from './connect-offer-urls.ts'
import { connectKajabi } from './connect-kajabi.ts'
import { type OpenProject, ifPossible } from './project.ts'
import type { Shell } from '../shell.ts'

/** The inbox's defaults for settings that `serve:` in project.yaml does not give. */
const defaults = { cancels_per_hour: 50, second_look_seconds: 20, keep_days: 180 }

export interface Announcing {
  readonly alert: (alert: Alert) => void
  readonly log: (line: LogLine) => void
  /** Called for every answer of Kajabi's API. */
  readonly kajabiAnswered?: (route: string, status: number) => void
  /** False for work that must not wait for Kajabi's credentials. */
  readonly kajabiNeeded?: boolean
}

/**
 * The cancel service's context. `serve` and `cancel` share it, so that there is only one way to
 * cancel a subscriber.
 */
export async function inboxContext(
  { context, store, sandbox }: OpenProject,
  { alert, log, kajabiAnswered, kajabiNeeded = true }: Announcing,
  shell: Shell,
): Promise<InboxContext> {
  const { project } = context.catalog
  const access = accessIn(context.catalog)
  const kajabi = async (): Promise<KajabiSite | undefined> =>
    connectKajabi(project.kajabi, sandbox, shell, kajabiAnswered)
  const urls = connectOfferUrls(access, shell)
  const number = (name: keyof typeof defaults): number => numberOr(project.serve?.[name], defaults[name])
  return {
    accounts: context.accounts,
    store: context.store,
    inbox: store.inbox,
    kajabi: kajabiNeeded ? await kajabi() : await ifPossible(kajabi, shell),
    access,
    mappings: context.catalog.mappings,
    resources: context.catalog.resources,
    moved: context.catalog.moved,
    ...(urls === undefined ? {} : { urls }),
    policy: {
      cancel: project.policies.cancel,
      cancelsPerHour: number('cancels_per_hour'),
      secondLookSeconds: number('second_look_seconds'),
      // A pressed link stays known for as long as it could be pressed again.
      keepDays: Math.max(number('keep_days'), numberOr(project.serve?.['link_days'], 14) + 1),
    },
    alert,
    log,
    run: context.run,
    interrupt: context.interrupt,
    clock: clockOf(context.accounts.target),
    random: Math.random,
    wait: async (seconds) => context.wait(seconds),
  }
}

/**
 * Stripe's clock: the time of its last answer plus the real time since then. A machine with a wrong
 * or changed clock therefore never dates a request before the grant that it concerns. In a sandbox
 * this is simulated time.
 */
function clockOf(target: StripeAccount): () => Instant {
  let heard = target.now()
  let at = performance.now()
  let last: number = heard
  return () => {
    const told = target.now()
    // An answer gave a new time, or this machine's clock did because no answer has come yet.
    if (told !== heard) [heard, at] = [told, performance.now()]
    const now = heard + Math.floor((performance.now() - at) / 1_000)
    // Whole seconds of two clocks may differ by a second. A larger step back means that Stripe's
    // clock replaced the machine's.
    last = now < last && last - now <= 2 ? last : now
    return instant(last)
  }
}

function numberOr(value: Json | undefined, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise
}
