/**
 * The texts of the member's pages in one language. A new language needs one file beside this one
 * and one line in `../words.ts`.
 */
export interface Words {
  /** BCP 47, its first part: `en`. Days, amounts and lists are written as this language does. */
  readonly language: string
  /** The locale to format with, where it differs from `language`: `en-GB`. */
  readonly region?: string
  readonly title: string
  readonly question: string
  /** `what`: names of products. */
  readonly ends: (what: string) => string
  readonly nothingElse: string
  readonly endsNow: string
  readonly endsAt: (day: string) => string
  readonly noNextPayment: (day: string) => string
  readonly noNextPaymentOf: (amount: string, day: string) => string
  readonly yes: string
  readonly keep: string
  readonly waitingTitle: string
  readonly waiting: string
  readonly lookAgain: string
  readonly doneTitle: string
  readonly done: string
  readonly personTitle: string
  readonly person: string
  readonly endingTitle: string
  readonly ending: (day: string) => string
  readonly nothingTitle: string
  readonly nothing: string
  readonly badTitle: string
  readonly bad: string
  readonly laterTitle: string
  readonly later: string
  readonly ask: string
  readonly membership: string
  readonly card: CardWords
}

/** The texts of the page on which a member enters a card again. */
interface CardWords {
  readonly title: string
  /** `what`: names of products. */
  readonly why: (what: string) => string
  readonly nextPayment: (day: string) => string
  readonly nextPaymentOf: (amount: string, day: string) => string
  /** Of a member whom the old account still bills. */
  readonly afterMove: string
  readonly stays: string
  readonly where: string
  readonly yes: string
  readonly going: string
  readonly goOn: string
  readonly doneTitle: string
  readonly done: string
  readonly doneAfterMove: string
  readonly endedTitle: string
  readonly ended: string
  readonly ending: (day: string) => string
  readonly later: string
}
