import type { Instant } from '../core/instant.ts'

/** What the member's pages say, one table a language. A language that is missing here is answered in English. */
export interface Words {
  readonly language: string
  readonly title: string
  readonly question: string
  /** `what`: names of products. */
  readonly ends: (what: string) => string
  readonly endsNow: string
  readonly endsAt: (day: string) => string
  readonly noNextPayment: (day: string) => string
  readonly yes: string
  readonly keep: string
  readonly doneTitle: string
  readonly done: string
  readonly nothingTitle: string
  readonly nothing: string
  readonly badTitle: string
  readonly bad: string
  readonly laterTitle: string
  readonly later: string
  readonly and: string
  readonly membership: string
}

const english: Words = {
  language: 'en',
  title: 'Cancel your membership',
  question: 'Do you want to cancel?',
  ends: (what) => `This ends ${what}.`,
  endsNow: 'Your access ends as soon as you confirm.',
  endsAt: (day) => `You keep your access until ${day}.`,
  noNextPayment: (day) => `Your next payment, due on ${day}, will not be taken.`,
  yes: 'Yes, cancel',
  keep: 'To keep everything as it is, close this page.',
  doneTitle: 'Your cancellation is on its way',
  done: 'We have it. It usually takes a few seconds, and nothing more is to be done. You can close this page.',
  nothingTitle: 'There is nothing to cancel',
  nothing: 'This membership has already ended. No further payment will be taken for it.',
  badTitle: 'This link does not work',
  bad: 'It may have expired or be incomplete. Please ask us for a new one, and we will send it to you.',
  laterTitle: 'Please try again in a minute',
  later: 'We could not store your wish just now. Nothing was changed.',
  and: 'and',
  membership: 'your membership',
}

const german: Words = {
  language: 'de',
  title: 'Mitgliedschaft kündigen',
  question: 'Möchten Sie kündigen?',
  ends: (what) => `Damit endet ${what}.`,
  endsNow: 'Ihr Zugang endet, sobald Sie bestätigen.',
  endsAt: (day) => `Ihr Zugang bleibt bis zum ${day} bestehen.`,
  noNextPayment: (day) => `Die nächste Zahlung am ${day} wird nicht mehr eingezogen.`,
  yes: 'Ja, kündigen',
  keep: 'Wenn alles so bleiben soll, schließen Sie diese Seite.',
  doneTitle: 'Ihre Kündigung ist unterwegs',
  done: 'Wir haben sie erhalten. Meist dauert es nur Sekunden, und Sie müssen nichts weiter tun. Sie können diese Seite schließen.',
  nothingTitle: 'Es gibt nichts zu kündigen',
  nothing: 'Diese Mitgliedschaft ist bereits beendet. Dafür wird nichts mehr eingezogen.',
  badTitle: 'Dieser Link funktioniert nicht',
  bad: 'Er ist vielleicht abgelaufen oder unvollständig. Bitten Sie uns um einen neuen, wir schicken ihn gern.',
  laterTitle: 'Bitte versuchen Sie es gleich noch einmal',
  later: 'Wir konnten Ihren Wunsch gerade nicht speichern. Es wurde nichts geändert.',
  and: 'und',
  membership: 'Ihre Mitgliedschaft',
}

const languages: readonly Words[] = [english, german]

/** By `Accept-Language`, in the order of its weights (RFC 9110, 12.5.4). */
export function wordsFor(header: string | undefined): Words {
  const wanted = (header ?? '')
    .slice(0, 200)
    .split(',')
    .map((part, index) => {
      const [tag = '', ...parameters] = part.trim().toLowerCase().split(';')
      const weight = Number(
        parameters.map((one) => /^\s*q=([\d.]+)$/.exec(one)?.[1]).find((one) => one !== undefined) ?? 1,
      )
      return { language: tag.split('-')[0] ?? '', weight: Number.isNaN(weight) ? 0 : weight, index }
    })
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight || a.index - b.index)
  for (const { language } of wanted) {
    const words = languages.find((one) => one.language === language)
    if (words !== undefined) return words
  }
  return english
}

/** `31 December 2026`, of the day in UTC: the zone of a reader is not known. */
export function day(at: Instant, words: Words): string {
  return new Intl.DateTimeFormat(words.language === 'en' ? 'en-GB' : words.language, {
    dateStyle: 'long',
    timeZone: 'UTC',
  }).format(at * 1_000)
}
