import { formatMoney } from '../core/money.ts'
import { isLapsed, isOver, paymentFailure } from '../live/subscription.ts'
import type { Candidate } from './candidate.ts'
import { isEnding } from './while-held.ts'

/** The way out of an end in the old account, with the subscriber's name. */
export function endOrStay(key: string, code: 'cancelled_in_source' | 'lapsed_in_source'): string {
  const ends = code === 'lapsed_in_source' ? 'is to end as in the old account' : 'meant to leave'
  return `If the member ${ends}: \`crossbill cancel ${key}\`. If they stay, name \`${code}\` under \`override\` of their entry.`
}

/**
 * The old account has given up on an unpaid invoice of a moved subscription, and ended the
 * subscription or stopped collecting it. Without the move, the member would be out. No change of
 * the stage hides this: the new subscription ends as well, or a person confirms by name that it
 * continues. Undefined when nothing is open.
 */
export function lapsedInSource({ desired, old, successor, source, standing }: Candidate): string | undefined {
  if (successor === undefined || isOver(successor) || isEnding(successor)) return undefined
  if (standing !== 'settled' && standing !== 'target') return undefined
  if (desired.override?.includes('lapsed_in_source') === true) return undefined
  const isEnded = isOver(old.raw) && isLapsed(old.raw)
  if (!isEnded && paymentFailure(old.raw) !== 'given up') return undefined
  const unpaid = (source.invoices.get(old.id) ?? []).filter(({ status }) => status === 'open')
  const what = unpaid.map(
    ({ id, amount_remaining: amount, currency }) => `${id} of ${formatMoney({ amount, currency })}`,
  )
  const debt = what.length === 0 ? '' : ` (${what.join(', ')})`
  return isEnded
    ? `${old.id} was ended in ${desired.source}, which gave up on its unpaid invoice${debt}, while ${successor.id} bills on`
    : `${old.id} is unpaid in ${desired.source}, which gave up on its invoice${debt}, while ${successor.id} bills on`
}
