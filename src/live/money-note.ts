import type Stripe from 'stripe'
import type { JsonObject } from '../core/json.ts'
import { markMoney } from './marks.ts'

/**
 * The note of carried money: metadata of the old subscription that names each piece before the
 * first of them leaves its account. A deleted invoice item leaves no trace, and the store of the
 * run that deleted it may be lost. With the note, any run can finish from the accounts alone. The
 * request that ends the hand-over removes the note.
 *
 *     crossbill_money_0: target balance -500 usd
 *     crossbill_money_1: target item ii_1 1500 usd 1764450000 1764450000 plain free txr_1
 *     crossbill_money_1_text: the description of the item
 *     crossbill_money_2: target invoice in_1
 */
export interface MoneyNote {
  /** The account that the money goes to. Null if a part of the note cannot be read. */
  readonly to: 'target' | 'source' | null
  readonly pieces: readonly NotedPiece[]
  /** Its metadata keys. */
  readonly keys: readonly string[]
}

/** A piece and its place in the note. */
export interface NotedPiece {
  readonly at: number
  readonly piece: Piece
}

export type Piece = BalancePiece | ItemPiece | InvoicePiece

/** A credit is negative. */
interface BalancePiece {
  readonly kind: 'balance'
  readonly amount: number
  readonly currency: string
}

/** A pending invoice item. The ids are those of the account that it leaves. */
export interface ItemPiece {
  readonly kind: 'item'
  readonly id: string
  readonly amount: number
  readonly currency: string
  readonly period: { readonly start: number; readonly end: number }
  readonly discountable: boolean
  /** Whether it belongs to the subscription, and not to its customer alone. */
  readonly bound: boolean
  readonly rates: readonly string[]
}

/** An open invoice that was not paid. It stays readable after it is voided. */
interface InvoicePiece {
  readonly kind: 'invoice'
  readonly id: string
}

/** The metadata that notes these pieces. */
export function moneyNote(to: 'target' | 'source', pieces: readonly Piece[]): Readonly<Record<string, string>> {
  return Object.fromEntries(pieces.map((piece, at) => [noteKey(at), `${to} ${wordsOf(piece)}`]))
}

/** The note on an old subscription; null without one. */
export function readMoneyNote({ metadata }: Pick<Stripe.Subscription, 'metadata'>): MoneyNote | null {
  const keys = Object.keys(metadata)
    .filter((key) => key.startsWith(`${markMoney}_`))
    .toSorted()
  if (keys.length === 0) return null
  const notes = keys
    .filter((key) => !key.endsWith(textEnd))
    .map((key) => ({ key, words: (metadata[key] ?? '').split(' ') }))
  const pieces = notes
    .flatMap(({ key, words }) => {
      const piece = pieceIn(words.slice(1))
      return piece === undefined ? [] : [{ at: Number(key.slice(markMoney.length + 1)), piece }]
    })
    .toSorted((a, b) => a.at - b.at)
  const [to, ...others] = new Set(notes.map(({ words }) => words[0]))
  const isReadable =
    pieces.length === notes.length && others.length === 0 && pieces.every(({ at }) => Number.isInteger(at))
  return { to: isReadable && (to === 'target' || to === 'source') ? to : null, pieces, keys }
}

/** The metadata key of the piece at this place. */
export function noteKey(at: number): string {
  return `${markMoney}_${at}`
}

/** The key of the description of the piece at this place. */
export function noteTextKey(at: number): string {
  return `${noteKey(at)}${textEnd}`
}

const textEnd = '_text'

/** Whether a note names this pending item or invoice. */
export function isNoted(note: MoneyNote | null, id: string): boolean {
  return note?.pieces.some(({ piece }) => piece.kind !== 'balance' && piece.id === id) === true
}

/** Removes a note. */
export function withoutNote(keys: readonly string[]): JsonObject {
  return Object.fromEntries(keys.map((key) => [key, null]))
}

function wordsOf(piece: Piece): string {
  switch (piece.kind) {
    case 'balance':
      return `balance ${piece.amount} ${piece.currency}`
    case 'invoice':
      return `invoice ${piece.id}`
    case 'item': {
      const { id, amount, currency, period, discountable, bound, rates } = piece
      const how = `${discountable ? 'discountable' : 'plain'} ${bound ? 'bound' : 'free'}`
      return ['item', id, amount, currency, period.start, period.end, how, ...rates].join(' ')
    }
  }
}

function pieceIn([kind = '', ...words]: readonly string[]): Piece | undefined {
  const whole = (text: string | undefined): number => (/^-?\d{1,15}$/.test(text ?? '') ? Number(text) : Number.NaN)
  if (kind === 'balance') {
    const [amount, currency = ''] = words
    return Number.isNaN(whole(amount)) || currency === '' ? undefined : { kind, amount: whole(amount), currency }
  }
  const [id = ''] = words
  if (kind === 'invoice') return id === '' ? undefined : { kind, id }
  const [, amount, currency = '', start, end, discounts, belongs, ...rates] = words
  const period = { start: whole(start), end: whole(end) }
  const numbers = [whole(amount), period.start, period.end]
  const areWords =
    (discounts === 'discountable' || discounts === 'plain') && (belongs === 'bound' || belongs === 'free')
  if (kind !== 'item' || id === '' || currency === '' || !areWords || numbers.some(Number.isNaN)) return undefined
  const flags = { discountable: discounts === 'discountable', bound: belongs === 'bound' }
  return { kind, id, amount: whole(amount), currency, period, ...flags, rates }
}
