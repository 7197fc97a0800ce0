import { formatInstant, instant } from '../../core/instant.ts'
import { isJsonObject, type JsonObject, textIn } from '../../core/json.ts'
import type { UnpaidPeriod } from '../../handover/types.ts'
import type { Change, Step } from '../../plan/types.ts'
import { groupBy, money, plural, when } from './words.ts'

/**
 * What a move carries besides the subscription: money of the customer, a pause, a schedule, or
 * settings of the customer.
 */
export interface Carried {
  /** The word for counting: `credit`, `pending item` …. */
  readonly kind: string
  /** `a credit of 70.00 usd`; empty for things that are only counted. */
  readonly text: string
  /** The amount in minor units, for money. */
  readonly money?: { readonly amount: number; readonly currency: string }
}

/** Reads the requests themselves, so that the plan shows exactly what it sends. */
export function carriedBy(change: Change): readonly Carried[] {
  const { steps } = change
  const carried = steps.flatMap((step) => {
    const [, read] = readers.find(([id]) => id.test(step.id)) ?? []
    return read === undefined ? [] : read(step, steps)
  })
  if (change.action !== 'revert') return carried
  const { periods = [], before_pause: paused } = change.expect
  return [...carried, ...(paused === null ? [] : [pause(paused)]), ...periods.map(period)]
}

function period({ at, amount, currency, outcome }: UnpaidPeriod): Carried {
  const day = formatInstant(instant(at)).slice(0, 10)
  return priced(periodKinds[outcome], `the renewal of ${day} ${periodWords[outcome]}:`, { amount, currency })
}

const periodWords: Readonly<Record<UnpaidPeriod['outcome'], string>> = {
  billed: 'billed by the old account at once',
  left: 'left unpaid (policies.uncharged_period)',
  waived: 'waived in the target and left unpaid (leave_waived_period)',
  credit: 'paid from the credit in the target',
}

const periodKinds: Readonly<Record<UnpaidPeriod['outcome'], string>> = {
  billed: 'renewal billed at once',
  left: 'renewal left unpaid',
  waived: 'waived renewal left unpaid',
  credit: 'renewal paid from the credit',
}

type Read = (step: Step, steps: readonly Step[]) => readonly Carried[]

const readers: readonly (readonly [RegExp, Read])[] = [
  [/^carry-customer$/, ({ params }) => settings(params)],
  [/^carry-tax-id-/, () => [{ kind: 'tax id', text: '' }]],
  [/^pause$/, ({ params }) => [pause(params['pause_collection'])]],
  [/^schedule-phases$/, ({ params }) => [phases(params['phases'])]],
  [/^release-schedule$/, () => [{ kind: 'schedule to release', text: 'its schedule released' }]],
  [/^money-balance-in$/, ({ params }) => [balance(params)]],
  [/^money-item-\d+-in$/, ({ params }) => [priced('pending item', 'a pending item of', amountOf(params))]],
  [/^money-invoice-\d+-out$/, invoice],
]

const settingNames: Readonly<Record<string, string>> = {
  tax_exempt: 'tax exemption',
  preferred_locales: 'list of languages',
  shipping: 'shipping address',
  invoice_settings: 'invoice setting',
  default_source: 'default payment method',
}

function settings(params: JsonObject): readonly Carried[] {
  return Object.entries(params).flatMap(([name, value]) => {
    const inner = isJsonObject(value) ? Object.keys(value) : []
    const isDefault = name === 'invoice_settings' && inner.join() === 'default_payment_method'
    const kind = isDefault ? 'default payment method' : settingNames[name]
    return kind === undefined ? [] : [{ kind, text: '' }]
  })
}

function pause(value: unknown): Carried {
  const until = isJsonObject(value) ? value['resumes_at'] : undefined
  const end = typeof until === 'number' ? ` until ${when(formatInstant(instant(until)))}` : ''
  return { kind: 'pause', text: `its pause${end}` }
}

function phases(value: unknown): Carried {
  return {
    kind: 'schedule',
    text: `the remaining ${plural(Array.isArray(value) ? value.length : 0, 'phase')} of its schedule`,
  }
}

/** https://docs.stripe.com/billing/customer/balance: a credit is negative. */
function balance(params: JsonObject): Carried {
  const { amount, currency } = amountOf(params)
  return amount < 0
    ? priced('credit', 'a credit of', { amount: -amount, currency })
    : priced('balance to pay', 'a balance to pay of', { amount, currency })
}

/** An open invoice is voided in the source and created again from its lines, before tax. */
function invoice({ id, path }: Step, steps: readonly Step[]): readonly Carried[] {
  const start = id.replace(/out$/, 'line-')
  const lines = steps.filter((step) => step.id.startsWith(start)).map(({ params }) => amountOf(params))
  const amount = lines.reduce((sum, line) => sum + line.amount, 0)
  const name = /\/invoices\/([^/]+)\/void$/.exec(path)?.[1] ?? ''
  return [priced('open invoice', `the open invoice ${name} of`, { amount, currency: lines[0]?.currency ?? '' })]
}

function amountOf({ amount, currency }: JsonObject): { amount: number; currency: string } {
  return { amount: typeof amount === 'number' ? amount : 0, currency: textIn(currency) }
}

function priced(kind: string, text: string, sum: { amount: number; currency: string }): Carried {
  return { kind, text: `${text} ${money(sum.amount, sum.currency)}`, money: sum }
}

type Carrying = readonly { readonly carried: readonly Carried[] }[]

/** `Also carried: 3 credits (210.00 usd), 1 pause`, and a line about unpaid renewals. */
export function carriedTotals(changes: Carrying): readonly string[] {
  const all = changes.flatMap(({ carried }) => carried)
  const isPeriod = ({ kind }: Carried): boolean => Object.values(periodKinds).includes(kind)
  const lines = [
    ['Also carried', totals(all.filter((one) => !isPeriod(one)))],
    ['Unpaid in the target', totals(all.filter(isPeriod))],
  ]
  return lines.flatMap(([what = '', sum = '']) => (sum === '' ? [] : [`${what}: ${sum}`]))
}

function totals(all: readonly Carried[]): string {
  return [...groupBy(all, ({ kind }) => kind)]
    .map(([kind, same]) => `${plural(same.length, kind, plurals[kind] ?? `${kind}s`)}${sums(same)}`)
    .join(', ')
}

const plurals: Readonly<Record<string, string>> = {
  'renewal billed at once': 'renewals billed at once',
  'renewal left unpaid': 'renewals left unpaid',
  'waived renewal left unpaid': 'waived renewals left unpaid',
  'renewal paid from the credit': 'renewals paid from the credit',
  'list of languages': 'lists of languages',
  'shipping address': 'shipping addresses',
  'balance to pay': 'balances to pay',
  'schedule to release': 'schedules to release',
}

function sums(all: readonly Carried[]): string {
  const totals = new Map<string, number>()
  for (const { money: sum } of all)
    if (sum !== undefined) totals.set(sum.currency, (totals.get(sum.currency) ?? 0) + sum.amount)
  const told = [...totals].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([currency, amount]) => money(amount, currency))
  return told.length === 0 ? '' : ` (${told.join(', ')})`
}
