import type { Instant } from '../core/instant.ts'
import { decimals, type Money } from '../core/money.ts'
import { german } from './languages/de.ts'
import { english } from './languages/en.ts'
import { french } from './languages/fr.ts'
import { portuguese } from './languages/pt.ts'
import { spanish } from './languages/es.ts'
import type { Words } from './languages/words.ts'

export type { Words } from './languages/words.ts'

/** The languages of the member's pages. The first one answers for every other language. */
export const languages: readonly Words[] = [english, german, french, spanish, portuguese]

/** The best known language for an `Accept-Language` header, by its weights (RFC 9110, 12.5.4). */
export function wordsFor(header: string | undefined, known: readonly Words[] = languages): Words {
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
    const words = known.find((one) => one.language === language)
    if (words !== undefined) return words
  }
  return english
}

const rightToLeft = new Set(['ar', 'fa', 'he', 'ps', 'ur', 'yi'])

/** The direction in which the language is written. */
export function direction({ language }: Words): 'ltr' | 'rtl' {
  return rightToLeft.has(language) ? 'rtl' : 'ltr'
}

/** `31 December 2026`, in UTC, because the reader's time zone is not known. */
export function day(at: Instant, words: Words): string {
  return new Intl.DateTimeFormat(localeOf(words), { dateStyle: 'long', timeZone: 'UTC' }).format(at * 1_000)
}

/** `€46.60`, `¥29,550`: the amount as the reader's language writes it. */
export function sum({ amount, currency }: Money, words: Words): string {
  const style = { style: 'currency', currency: currency.toUpperCase() } as const
  return new Intl.NumberFormat(localeOf(words), style).format(amount / 10 ** decimals(currency))
}

/** `A, B and C` */
export function list(parts: readonly string[], words: Words): string {
  return new Intl.ListFormat(localeOf(words), { type: 'conjunction' }).format(parts)
}

function localeOf({ language, region }: Words): string {
  return region ?? language
}
