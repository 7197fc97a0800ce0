import { isJsonObject, textIn, type JsonObject } from '../core/json.ts'

/** `Formulation Diploma – 2024 (€)` → `formulation-diploma-2024`: a key people can type. */
export function slug(text: string): string {
  const plain = text
    .normalize('NFKD')
    .replaceAll(/\p{Mark}/gu, '')
    .toLowerCase()
  return plain
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 60)
    .replace(/-+$/, '')
}

/** Takes the first free name, or else the last name with a number: `membership`, `membership-2`. */
export function freeKey(names: readonly string[], taken: Set<string>): string {
  const candidates = names.map(asKey).filter((name) => name !== '')
  const last = candidates.at(-1) ?? 'entry'
  let key = candidates.find((name) => !taken.has(name))
  for (let number = 2; key === undefined; number++) if (!taken.has(`${last}-${number}`)) key = `${last}-${number}`
  taken.add(key)
  return key
}

/** A name with an id in brackets, or an id of another program, still makes a valid key. */
function asKey(name: string): string {
  return name
    .replaceAll(/[^A-Za-z0-9_-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 90)
}

const everyOne: Readonly<Record<string, string>> = { day: 'daily', week: 'weekly', month: 'monthly', year: 'yearly' }

/** `monthly`, `every-3-months`, `once`. */
function cadence(recurring: unknown): string {
  if (!isJsonObject(recurring)) return 'once'
  const { interval, interval_count: count } = recurring
  if (typeof interval !== 'string') return 'once'
  return typeof count === 'number' && count !== 1 ? `every-${count}-${interval}s` : (everyOne[interval] ?? interval)
}

/**
 * Candidate keys of a price, the shortest first: `membership-monthly-usd`,
 * `membership-monthly-usd-4900`, `…-4900-exclusive`.
 */
export function priceNames(form: JsonObject): readonly string[] {
  const text = (name: string): string => textIn(form[name])
  const behavior = text('tax_behavior')
  const inclusive = behavior === 'inclusive' ? ['inclusive'] : []
  const base = [text('product'), cadence(form['recurring']), text('currency'), ...inclusive].join('-')
  const { unit_amount: whole, unit_amount_decimal: exact, billing_scheme: scheme } = form
  const amount = typeof whole === 'number' ? String(whole) : typeof exact === 'string' ? exact.replace('.', 'p') : ''
  const longer = [base, scheme === 'tiered' ? 'tiered' : amount].filter((part) => part !== '').join('-')
  return [base, longer, `${longer}-${behavior === '' ? 'unspecified' : behavior}`]
}

/** `de-vat-19`, `us-ny-sales-tax-8-875`; an inclusive rate ends in `-inclusive`. */
export function taxRateNames(form: JsonObject): readonly string[] {
  const text = (name: string): string => textIn(form[name])
  const place = text('country') === '' ? text('jurisdiction') : `${text('country')} ${text('state')}`
  const percentage = typeof form['percentage'] === 'number' ? String(form['percentage']) : ''
  const words = [
    place,
    text('display_name').replaceAll(/[\d.,%]+/g, ' '),
    percentage,
    form['inclusive'] === true ? 'inclusive' : '',
  ]
  return [slug(words.join(' '))]
}

/** Candidate keys of a coupon: its id if a person chose it, then its name, then its terms. */
export function couponNames(id: string, form: JsonObject): readonly string[] {
  const name = typeof form['name'] === 'string' ? slug(form['name']) : ''
  const percent = form['percent_off']
  const off =
    typeof percent === 'number'
      ? `${percent}-percent-off`
      : `${String(form['amount_off'] as number)}-${String(form['currency'] as string)}-off`
  const terms = slug(`${off} ${typeof form['duration'] === 'string' ? form['duration'] : 'once'}`)
  // Stripe's own ids are eight random letters and digits.
  return /^[A-Za-z0-9]{8}$/.test(id) ? [name, terms] : [slug(id), name, terms]
}
