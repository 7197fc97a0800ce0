import type { ChalkInstance } from 'chalk'
import type { Explained, ExplainedCharge, ExplainedSubscriber } from '../../engine/explain/document.ts'
import { columns, firstFew, money, plural, when } from './words.ts'

/** More lines of one kind than this are left to `--format json`. */
const linesMost = 12

/** One person on one screen: first who and why, then what was found where. */
export function explainText(explained: Explained, paint: ChalkInstance): string {
  const { subscribers, subscriptions, requests, signals, store, asked } = explained
  const isAsked = ({ subscriber }: ExplainedSubscriber): boolean => asked.length === 0 || asked.includes(subscriber)
  return [
    ...subscribers.flatMap((one, at) => [
      ...(at === 0 ? [] : ['']),
      ...(isAsked(one) ? about(one, paint) : inShort(one, paint)),
    ]),
    '',
    paint.bold(`In the accounts now (${when(explained.at)})`),
    ...columns(
      subscriptions.map(({ account, id, state, items, next }) => [
        `  ${account}`,
        id,
        spoken(state),
        items.join(' + '),
        next === null ? '' : `next invoice ${when(next)}`,
      ]),
    ),
    ...(subscriptions.length === 0 ? ['  No account has a subscription of this person.'] : []),
    '',
    ...accessLines(explained, paint),
    '',
    paint.bold(`Cancel signals: ${signals.length === 0 ? 'none' : signals.length}`),
    ...few(signals).map(
      ({ id, accepted, from, state, means, reason }) =>
        `  ${when(accepted)}  ${from}: ${state}${means === '' ? (reason === '' ? '' : ` (${reason})`) : `. ${means}`} (inbox ${id})`,
    ),
    ...more(signals),
    '',
    paint.bold(`Requests sent: ${requests.length === 0 ? 'none in this store' : requests.length}`),
    ...columns(
      few(requests).map(({ at, account, step, method, path, status, request_id: id, failure }) => [
        `  ${when(at)}`,
        account,
        step,
        `${method} ${path}`,
        `${status}${failure === null ? '' : `: ${failure}`}`,
        id ?? '',
      ]),
    ),
    ...more(requests),
    ...(store.length === 0
      ? []
      : ['', paint.bold('What only the store would know'), ...store.map((line) => `  ${line}`)]),
  ].join('\n')
}

/** Instants inside a sentence, for people. */
function spoken(sentence: string): string {
  return sentence.replaceAll(/\d{4}-\d\d-\d\dT[\d:]+Z/g, when)
}

/** Another subscription of the same person. */
function inShort({ subscriber, outcome, findings, charge }: ExplainedSubscriber, paint: ChalkInstance): string[] {
  const codes = findings.map(({ code }) => code)
  return [
    `${paint.bold(subscriber)} of the same person: ${outcome.replaceAll('_', ' ')}${codes.length === 0 ? '' : ` (${codes.join(', ')})`}`,
    `  Next charge: ${charge === null ? 'none' : chargeText(charge)}`,
  ]
}

function few<T>(all: readonly T[]): readonly T[] {
  return firstFew(all, linesMost).shown
}

function more(all: readonly unknown[]): string[] {
  const { more: others } = firstFew(all, linesMost)
  return others === 0 ? [] : [`  … and ${others} more (--format json lists all)`]
}

function about(one: ExplainedSubscriber, paint: ChalkInstance): string[] {
  const { subscriber, outcome, entry, decided_by: decided, findings, next, charge, charge_after_move: after } = one
  return [
    `${paint.bold(subscriber)}: ${outcome.replaceAll('_', ' ')}`,
    ...findings.flatMap(({ code, meaning, message, fix, until }) => [
      `  ${paint.yellow(code)}${until === undefined ? '' : ` until ${when(until)}`}: ${meaning}`,
      `    found: ${spoken(message)}`,
      `    what to do: ${fix}`,
    ]),
    ...next.map((line) => `  Next: ${spoken(line)}`),
    `  Next charge: ${charge === null ? 'none' : chargeText(charge)}`,
    ...(after === null ? [] : [`  After the move: ${chargeText(after)}`]),
    `  The YAML wants: ${entry === null ? 'nothing; no subscriber file has an entry that can be used' : wants(entry)}`,
    `  Decided by: ${decided.rule}`,
    ...Object.entries(decided.values)
      .filter(([name]) => !name.startsWith('policies.'))
      .map(([name, value]) => `    ${name.replaceAll('_', ' ')}: ${spoken(value)}`),
  ]
}

function wants({ file, line, stage, excluded, override }: NonNullable<ExplainedSubscriber['entry']>): string {
  const place = `catalog/${file}:${line}`
  const confirmed = override.length === 0 ? '' : `, override ${override.join(', ')}`
  return excluded === null
    ? `stage ${stage}${confirmed} (${place})`
    : `excluded, with the reason “${excluded}” (${place})`
}

function chargeText({ at, amount, currency, account, method, exact }: ExplainedCharge): string {
  const how = method === null ? 'no payment method is charged' : method
  const tax = exact ? '' : '; before tax and balance, because Stripe showed no preview'
  return `${money(amount, currency)} on ${when(at)} in ${account}, ${how}${tax}`
}

function accessLines({ access }: Explained, paint: ChalkInstance): string[] {
  const { offers, contacts, note } = access
  return [
    paint.bold(
      `Access in Kajabi${contacts.length === 0 ? '' : ` (${plural(contacts.length, 'contact')}: ${contacts.join(', ')})`}`,
    ),
    ...offers.map(({ offer, paid_by: paid, granted, held }) => {
      const pays = paid.length === 0 ? 'not paid for' : `paid by ${paid.join(', ')}`
      const gave = granted === null ? 'this store has no grant' : `granted ${when(granted)}`
      const holds = held === null ? 'not read in Kajabi' : held ? 'held in Kajabi' : 'missing in Kajabi'
      return `  ${offer}: ${pays}; ${gave}; ${holds}`
    }),
    ...(offers.length === 0 ? ['  No offer is paid for, granted or held.'] : []),
    ...(note === '' ? [] : [`  ${note}`]),
  ]
}
