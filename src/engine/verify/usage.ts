import type Stripe from 'stripe'
import { formatInstant, instant, secondsPerDay, type Instant } from '../../core/instant.ts'
import { objectIn, objectsIn } from '../../core/json.ts'
import { CommandError } from '../../core/outcome.ts'
import { idOf } from '../../core/reference.ts'
import { violations } from '../../handover/violation-codes.ts'
import { isMetered } from '../../live/metered.ts'
import { endOfHold, isAlive } from '../../live/subscription.ts'
import { sidesOf, type Sides } from '../check/sides.ts'
import type { Violation } from '../check/violations.ts'
import { accountNamed, type Context } from '../context.ts'
import type { Survey } from '../plan/survey.ts'
import { read } from '../send/perform.ts'

/**
 * Whether the usage of members who change accounts at the end of a period is in the account that
 * bills it: until then in the old one, from then on in the target. No list shows usage, so each
 * such member costs two reads, until the time is over in which Stripe accepts late usage.
 */
export async function misplacedUsage(
  context: Context,
  { live, input }: Pick<Survey, 'live' | 'input'>,
): Promise<readonly Violation[]> {
  const { subscribers, project } = context.catalog
  const found: Violation[] = []
  for (const sides of sidesOf(live, subscribers, project.name)) {
    const boundary = boundaryOf(sides)
    if (boundary === undefined || sides.movedBy !== undefined) continue
    if (input.now > boundary + lateDays * secondsPerDay) continue
    const misplaced = await usageElsewhere(context, sides, { boundary, now: input.now })
    if (misplaced.length > 0)
      found.push({
        code: 'usage_misplaced',
        subscriber: sides.key,
        detail: misplaced.join('; '),
        fix: violations.usage_misplaced.fix,
      })
  }
  return found
}

/** Stripe accepts usage of the last 35 days (https://docs.stripe.com/api/billing/meter-event). */
const lateDays = 35

function boundaryOf({ old, alive }: Sides): Instant | undefined {
  const ends = old === undefined ? undefined : endOfHold(old)
  return ends === undefined || alive.length !== 1 ? undefined : instant(ends)
}

async function usageElsewhere(
  context: Context,
  { old, source, alive: [successor] }: Sides,
  { boundary, now }: { readonly boundary: Instant; readonly now: Instant },
): Promise<readonly string[]> {
  if (old === undefined || successor === undefined) return []
  const when = formatInstant(boundary)
  const early = await usageOf(context, 'target', successor, { from: successor.created, to: Math.min(boundary, now) })
  const late = await usageOf(context, source, old, { from: boundary, to: now })
  return [
    ...(early === 0
      ? []
      : [`${early} units before ${when} are in the target, which bills them although ${source} bills until then`]),
    ...(late === 0
      ? []
      : [
          `${late} units since ${when} are in ${source}, where ${isAlive(old) ? 'they are not due' : 'nothing bills them any more'}`,
        ]),
  ]
}

/** Stripe’s summaries begin and end with a minute: the minutes of the two ends are left out. */
const minute = 60

async function usageOf(
  context: Context,
  account: string,
  { customer, items }: Stripe.Subscription,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<number> {
  const [start, end] = [Math.ceil(from / minute) * minute, Math.floor(to / minute) * minute]
  if (end <= start) return 0
  const meters = items.data.flatMap(({ price }) => (isMetered(price) ? (price.recurring?.meter ?? []) : []))
  let all = 0
  for (const meter of new Set(meters)) {
    const params = { customer: idOf(customer), start_time: start, end_time: end }
    const answer = await read(
      context,
      accountNamed(context, account),
      `/v1/billing/meters/${meter}/event_summaries`,
      params,
    )
    if (!answer.ok)
      throw new CommandError(
        'usage_unreadable',
        `the usage of meter ${meter} could not be read in ${account}: ${answer.failure.message}`,
        {
          notDone: 'it is unknown whether the usage of moved members is in the right account',
          fix: `let the key of ${account} read billing meters, then run the command again`,
        },
      )
    for (const one of objectsIn(objectIn(answer.value)['data'])) all += Number(one['aggregated_value'] ?? 0)
  }
  return all
}
