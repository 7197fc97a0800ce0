import { html } from '../core/html.ts'
import type { Ending } from '../engine/inbox/ending.ts'
import { memberPage, told, type Reader } from './page.ts'
import { day, list, sum } from './words.ts'

/**
 * Asks the member for a card: why, what changes, what stays, and one button. `ending` is absent
 * when Stripe did not answer in time.
 */
export function askCardPage(reader: Reader, ending: Ending | undefined): string {
  const { words } = reader
  const { card } = words
  const what = ending === undefined || ending.products.length === 0 ? words.membership : list(ending.products, words)
  return memberPage(
    reader,
    card.title,
    html`${told([card.why(what), ...changes(reader, ending), card.stays])}
      <form method="post">
        <p id="where">${card.where}</p>
        <button class="go" type="submit" aria-describedby="where">${card.yes}</button>
      </form>`,
  )
}

function changes({ words }: Reader, ending: Ending | undefined): readonly string[] {
  const { card } = words
  if (ending === undefined) return []
  if (ending.moved !== true) return [card.afterMove]
  if (ending.nextPayment === undefined) return []
  const due = day(ending.nextPayment, words)
  const { nextAmount } = ending
  return [nextAmount === undefined ? card.nextPayment(due) : card.nextPaymentOf(sum(nextAmount, words), due)]
}

/** Leads to Stripe's page: at once, and by a link where a browser does not follow by itself. */
export function goToStripePage(reader: Reader, url: string): string {
  const { card } = reader.words
  return memberPage(reader, card.going, html`<p><a href="${url}">${card.goOn}</a></p>`, url)
}

export function cardSavedPage(reader: Reader, ending: Ending | undefined): string {
  const { card } = reader.words
  const text = ending?.moved === false ? card.doneAfterMove : card.done
  return memberPage(reader, card.doneTitle, html`<p role="status">${text}</p>`)
}

/** The membership has ended, or ends before another payment. */
export function noCardPage(reader: Reader, { state, endsAt }: Ending): string {
  const { words } = reader
  const text = state === 'ending' ? words.card.ending(day(endsAt, words)) : words.card.ended
  return memberPage(reader, words.card.endedTitle, told([text]))
}

export function cardLaterPage(reader: Reader): string {
  const { words } = reader
  return memberPage(reader, words.laterTitle, html`<p role="alert">${words.card.later}</p>`)
}
