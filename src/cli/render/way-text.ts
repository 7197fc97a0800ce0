import type { Way, WayRow, WayState } from '../../plan/way.ts'
import type { Doer } from '../../handover/doers.ts'
import { columns, money, plural, when } from './words.ts'

/** What each state means, in front of its rows. */
export const wayWords: Readonly<Record<WayState, string>> = {
  arrived: 'billed by the new account',
  moves: 'the next apply moves them',
  ready: 'ready, and their stage is source',
  waits: 'wait, and then move by themselves',
  uncopied: 'wait for Stripe’s copy of customers and cards',
  asked: 'asked for a card',
  needs: 'need something',
  left: 'left by a decision',
  ends: 'end by themselves',
  ended: 'have ended',
}

/** The way of the whole school on one screen. */
export function wayText(way: Way): string {
  const rows = way.rows.map((row) => [
    `  ${wayWords[row.state]}`,
    row.code ?? '',
    String(row.people).padStart(7),
    row.until === undefined ? '' : `until ${row.until.slice(0, 10)}`,
    monthly(row),
  ])
  const doing = way.rows.filter(({ state }) => ['uncopied', 'needs', 'asked', 'left'].includes(state))
  return [
    `The way of ${plural(way.people, 'subscriber')} to the new account, as of ${when(way.at)}`,
    '',
    ...columns([
      ['  where', 'code', ' people', '', 'a month'],
      ...rows,
      ['  together', '', String(way.people).padStart(7)],
    ]),
    ...(doing.length === 0 ? [] : ['', 'Who does what']),
    ...doing.map((row) => `  ${row.code ?? 'excluded'} (${row.people}): ${doingOf(row)}`),
    '',
    cardsOf(way),
    everybody(way),
  ].join('\n')
}

export function monthly({ mrr }: Pick<WayRow, 'mrr'>): string {
  return Object.entries(mrr)
    .map(([currency, amount]) => money(amount, currency))
    .join(', ')
}

export function doingOf({ state, by, note = '' }: WayRow): string {
  if (state === 'left') return `stay in the old account: ${note}`
  return by === undefined ? note : `${actors[by]}: ${note}`
}

const actors: Readonly<Record<Doer, string>> = {
  member: 'member',
  owner: 'owner',
  engineer: 'billing engineer',
  stripe: 'Stripe’s copy',
  crossbill: 'Crossbill',
}

export function cardsOf({ cards }: Way): string {
  const asked = cards.asked + cards.opened + cards.entered
  return `Card links: ${asked} made, ${cards.entered} cards entered, ${cards.opened} on the page of Stripe or gone from it, ${cards.asked} not used yet.`
}

export function everybody({ rows, undeclared, everybody_by: by }: Way): string {
  const count = (...states: readonly WayState[]): number =>
    rows.filter(({ state }) => states.includes(state)).reduce((sum, { people }) => sum + people, 0)
  const open = count('needs', 'asked')
  const left = count('left')
  const uncopied = count('uncopied')
  const condition = open === 0 ? 'Everybody' : `If ${open} do what is asked of them, everybody`
  const stay = left === 0 ? '' : ` ${plural(left, 'subscriber stays', 'subscribers stay')} by a decision.`
  const unknown =
    undeclared === 0
      ? ''
      : ` ${plural(undeclared, 'more live subscription is', 'more live subscriptions are')} in no subscriber file and not counted here: crossbill verify lists them.`
  const arrival =
    uncopied === 0
      ? count('moves', 'ready', 'waits', 'needs', 'asked') === 0
        ? 'Everybody who moves is there.'
        : `${condition} who moves can be there by ${when(by)}.`
      : `${plural(uncopied, 'subscriber waits', 'subscribers wait')} for Stripe’s copy of customers and cards. What else they need, and when everybody can be there, shows after the copy.`
  return `${arrival}${stay}${unknown}`
}
