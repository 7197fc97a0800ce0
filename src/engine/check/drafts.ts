import type Stripe from 'stripe'
import { formatInstant, instant, secondsPerDay, type Instant } from '../../core/instant.ts'
import { violations } from '../../handover/violation-codes.ts'
import type { Live } from '../../live/accounts.ts'
import { finalizationError, isAdvancing } from '../../live/invoice.ts'
import { markCarried } from '../../live/marks.ts'
import type { Violation } from './violations.ts'

/**
 * Days after which a draft that does not advance is reported: a failing webhook endpoint delays
 * finalization by three days at most.
 */
const draftDays = 3

/** Stripe has set the time at which it finalizes this invoice. */
function isAboutToAdvance({ automatically_finalizes_at: at }: Stripe.Invoice, now: Instant): boolean {
  return at !== null && at >= now
}

/**
 * Drafts of subscriptions that should be charged and are not: at once where Stripe failed to
 * finalize one, else when it is too old. Drafts of a pause never advance and are left out.
 */
export function stuckDrafts(live: Live, now: Instant): readonly Violation[] {
  const accounts = [...live.sources, ['target', live.target] as const]
  return accounts.flatMap(([name, account]) =>
    [...account.invoices].flatMap(([subscription, invoices]) =>
      invoices
        .filter((one) => isAdvancing(one) && subscription !== '')
        .flatMap((one): readonly Violation[] => {
          const about = aboutFailed(name, one) ?? aboutOld(name, one, now)
          return about === undefined ? [] : [{ subscriber: `${name}/${subscription}`, ...about }]
        }),
    ),
  )
}

type About = Pick<Violation, 'code' | 'detail' | 'fix'>

function aboutFailed(account: string, invoice: Stripe.Invoice): About | undefined {
  const why = finalizationError(invoice)
  if (why === undefined) return undefined
  return {
    code: 'finalization_failed',
    detail: `Stripe could not finalize ${invoice.id} in ${account} (${why}): it stays a draft, and nobody is charged for this period`,
    fix: violations.finalization_failed.fix,
  }
}

function aboutOld(account: string, invoice: Stripe.Invoice, now: Instant): About | undefined {
  const { id, created, metadata } = invoice
  if (created >= now - draftDays * secondsPerDay || isAboutToAdvance(invoice, now)) return undefined
  const code = 'draft_too_old'
  const detail = `${id ?? 'a draft'} has been a draft since ${formatInstant(instant(created))}`
  if (metadata?.[markCarried] === undefined)
    return {
      code,
      detail,
      fix: `look for a webhook endpoint of ${account} that does not answer: it delays finalization by up to 72 hours`,
    }
  return {
    code,
    detail: `${detail}: Crossbill’s hold kept it back, and a recovery restarted its collection`,
    fix: `finalize it in the Dashboard of ${account} if it is still a draft in an hour, or void it there`,
  }
}
