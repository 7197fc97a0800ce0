import { idOf } from '../../core/reference.ts'
import { formatInstant, instant } from '../../core/instant.ts'
import { formatMoney } from '../../core/money.ts'
import type Stripe from 'stripe'
import { markCarried, markDue, markReverting } from '../../live/marks.ts'
import { readMoneyNote, type Piece } from '../../live/money-note.ts'
import { readDue } from '../../live/due.ts'
import { isHeld, isOver, isUndone } from '../../live/subscription.ts'
import type { Sides } from './sides.ts'

/*
 * What a run leaves behind that stopped between two accounts, as the marks on the old subscription
 * show it.
 */

type Found = { readonly detail: string; readonly fix: string } | undefined

export const fixByApply = 'crossbill apply: recovery first finishes or undoes it'

/**
 * The note on the old subscription names money that left one account, and no request has removed
 * the note since: it may not have arrived in the other one.
 */
export function moneyInFlight({ old, alive, successors, source }: Sides): Found {
  const note = old === undefined ? null : readMoneyNote(old)
  if (old === undefined || note === null) return undefined
  const waits = note.to === 'target' ? alive.length === 1 : note.to === 'source' && successors.every(isUndone)
  const what = note.pieces.map(({ piece }) => told(piece)).join(', ')
  return {
    detail: `${what === '' ? 'money' : what} of ${idOf(old.customer)} is on its way to the ${note.to ?? 'other account'}, and nothing shows that it arrived`,
    fix:
      waits && !isOver(old)
        ? `${fixByApply}; it carries the rest and removes the note`
        : `no run will finish this: ${byHand(note.pieces.map(({ piece }) => piece))}. Then remove ${note.keys.join(', ')} from the metadata of ${old.id} in the Dashboard of ${source}`,
  }
}

/** What a person looks at, by the kinds of the pieces, when the member left during the move. */
function byHand(pieces: readonly Piece[]): string {
  const has = (kind: Piece['kind']): boolean => pieces.length === 0 || pieces.some((one) => one.kind === kind)
  return [
    ...(has('balance') ? ['pay out a credit that the customer has in either account, once'] : []),
    ...(has('item') ? ['delete each pending item that is not owed, in the account that has it'] : []),
    ...(has('invoice')
      ? [
          `void the invoice that has \`${markCarried}\` in its metadata, or delete it if it is a draft, unless it is owed; if it is, let it be paid in that account alone`,
        ]
      : []),
  ].join('; ')
}

function told(piece: Piece): string {
  if (piece.kind === 'invoice') return `invoice ${piece.id}`
  const amount = formatMoney({ amount: Math.abs(piece.amount), currency: piece.currency })
  if (piece.kind === 'item') return `item ${piece.id} of ${formatMoney(piece)}`
  return piece.amount < 0 ? `a credit of ${amount}` : `a balance to pay of ${amount}`
}

/**
 * A released hold, with renewals that it may have kept back; or a revert that voided an invoice of
 * the new subscription and went no further.
 */
export function periodUnaccounted({ old, alive }: Sides): Found {
  const voided = alive.map(({ latest_invoice: latest }) => latest).find(isVoidedByRevert)
  if (voided !== undefined)
    return {
      detail: `a revert voided ${voided.id} in the target and stopped before it was done: no account bills that period`,
      fix: 'set the stage to `source` and apply, which finishes the revert and bills the period in the old account; or bill it in the target',
    }
  const due = old === undefined || isHeld(old) ? null : readDue(old)
  if (old === undefined || due === null) return undefined
  const since = due.since === 0 ? '' : ` of ${formatInstant(instant(due.since))}`
  return {
    detail: `the hold${since} on ${old.id} was released, and the renewals that it kept back are not accounted for`,
    fix: isOver(old)
      ? `bill what the void invoices of ${old.id} since then would have charged, or leave it, then remove ${markDue} from its metadata`
      : `${fixByApply}: it bills each of these renewals, or leaves and lists them`,
  }
}

function isVoidedByRevert(invoice: Stripe.Subscription['latest_invoice']): invoice is Stripe.Invoice {
  if (invoice === null || invoice === undefined || typeof invoice === 'string') return false
  return invoice.status === 'void' && invoice.metadata?.[markReverting] !== undefined
}
