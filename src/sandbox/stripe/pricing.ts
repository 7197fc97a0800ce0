// The amounts of a price: amounts, tiers and currency options, shared by prices and `price_data`.
// https://docs.stripe.com/api/prices/create
import { invalid } from '../kernel/errors.ts'
import {
  decimal,
  either,
  fields,
  flag,
  int,
  list,
  oneOf,
  record,
  required,
  text,
  type Parsed,
} from '../kernel/params.ts'

export interface PriceTier {
  readonly flat_amount: number | null
  readonly flat_amount_decimal: string | null
  readonly unit_amount: number | null
  readonly unit_amount_decimal: string | null
  /** Null: without an upper limit. */
  readonly up_to: number | null
}

export interface Amounts {
  readonly custom_unit_amount: {
    readonly maximum: number | null
    readonly minimum: number | null
    readonly preset: number | null
  } | null
  readonly tax_behavior: 'exclusive' | 'inclusive' | 'unspecified'
  readonly tiers: readonly PriceTier[] | null
  /** Minor units; null when the price has only a decimal, or tiers. */
  readonly unit_amount: number | null
  readonly unit_amount_decimal: string | null
}

export interface Recurring {
  readonly interval: 'day' | 'week' | 'month' | 'year'
  readonly interval_count: number
  readonly meter: string | null
  readonly trial_period_days: number | null
  readonly usage_type: 'licensed' | 'metered'
}

const amount = int({ min: 0, max: 99_999_999_999 })
const exact = decimal({ min: 0 })
export const taxBehavior = oneOf('exclusive', 'inclusive', 'unspecified')

const tier = fields({
  flat_amount: amount,
  flat_amount_decimal: exact,
  unit_amount: amount,
  unit_amount_decimal: exact,
  up_to: required(either(int({ min: 1 }), oneOf('inf'))),
})

export const amountFields = {
  custom_unit_amount: fields({ enabled: required(flag()), maximum: amount, minimum: amount, preset: amount }),
  unit_amount: amount,
  unit_amount_decimal: exact,
}

export const pricingFields = {
  billing_scheme: oneOf('per_unit', 'tiered'),
  tiers: list(tier, { min: 1 }),
  tiers_mode: oneOf('graduated', 'volume'),
  transform_quantity: fields({ divide_by: required(int({ min: 1 })), round: required(oneOf('down', 'up')) }),
}

export const recurringFields = {
  interval: required(oneOf('day', 'month', 'week', 'year')),
  interval_count: int({ min: 1 }),
  meter: text(),
  trial_period_days: int({ min: 0, max: 730 }),
  usage_type: oneOf('licensed', 'metered'),
}

const option = fields({ ...amountFields, tax_behavior: taxBehavior, tiers: list(tier, { min: 1 }) })
export const currencyOptions = record(option)

type Given = {
  readonly custom_unit_amount?: {
    readonly enabled: boolean
    readonly maximum?: number
    readonly minimum?: number
    readonly preset?: number
  }
  readonly tax_behavior?: Amounts['tax_behavior']
  readonly tiers?: readonly Parsed<typeof tier>[]
  readonly unit_amount?: number
  readonly unit_amount_decimal?: string
}

/**
 * Exactly one of `unit_amount`, `unit_amount_decimal`, `custom_unit_amount`, `tiers` must be given.
 */
export function amountsOf(given: Given, about: { currency: string; at: string }): Amounts {
  const { custom_unit_amount: custom, tiers, unit_amount, unit_amount_decimal } = given
  const name = (key: string) => (about.at === '' ? key : `${about.at}[${key}]`)
  const ways = [custom?.enabled ? custom : undefined, tiers, unit_amount, unit_amount_decimal].filter(
    (way) => way !== undefined,
  )
  if (ways.length === 0)
    throw invalid('Prices require an `unit_amount` or `unit_amount_decimal` parameter to be set.', {
      code: 'parameter_missing',
      param: name('unit_amount'),
    })
  if (unit_amount !== undefined && unit_amount_decimal !== undefined)
    throw invalid('You may only specify one of these parameters: unit_amount, unit_amount_decimal.', {
      param: name('unit_amount'),
    })
  if (ways.length > 1)
    throw invalid(
      'You may only specify one of these parameters: unit_amount, unit_amount_decimal, custom_unit_amount, tiers.',
      {
        param: name('unit_amount'),
      },
    )
  return {
    custom_unit_amount:
      custom?.enabled === true
        ? { maximum: custom.maximum ?? null, minimum: custom.minimum ?? null, preset: custom.preset ?? null }
        : null,
    tax_behavior: given.tax_behavior ?? 'unspecified',
    tiers: tiers === undefined ? null : tiersOf(tiers, name('tiers')),
    ...bothForms(unit_amount, unit_amount_decimal),
  }
}

/** An amount in both forms: a decimal without a fraction is also shown as an integer. */
function bothForms(whole: number | undefined, exactly: string | undefined) {
  const unit_amount_decimal = exactly ?? (whole === undefined ? null : String(whole))
  const isWhole = unit_amount_decimal !== null && /^\d+$/.test(unit_amount_decimal)
  return { unit_amount: isWhole ? Number(unit_amount_decimal) : null, unit_amount_decimal }
}

function tiersOf(given: readonly Parsed<typeof tier>[], at: string): PriceTier[] {
  const tiers = given.map((step, index): PriceTier => {
    const flat = bothForms(step.flat_amount, step.flat_amount_decimal)
    const unit = bothForms(step.unit_amount, step.unit_amount_decimal)
    if (flat.unit_amount_decimal === null && unit.unit_amount_decimal === null)
      throw invalid('Each tier must have a `unit_amount` or a `flat_amount`.', { param: `${at}[${index}]` })
    return {
      flat_amount: flat.unit_amount,
      flat_amount_decimal: flat.unit_amount_decimal,
      ...unit,
      up_to: step.up_to === 'inf' ? null : step.up_to,
    }
  })
  for (const [index, step] of tiers.entries()) {
    const last = index === tiers.length - 1
    if (last !== (step.up_to === null))
      throw invalid('The last tier, and only the last, must have `up_to` set to `inf`.', {
        param: `${at}[${index}][up_to]`,
      })
    const before = tiers[index - 1]?.up_to
    if (typeof before === 'number' && step.up_to !== null && step.up_to <= before)
      throw invalid('Tiers must be in ascending order of `up_to`.', { param: `${at}[${index}][up_to]` })
  }
  return tiers
}

export function optionsOf(given: Parsed<typeof currencyOptions>): Readonly<Record<string, Amounts>> {
  return Object.fromEntries(
    Object.entries(given).map(([currency, option]) => [
      currency,
      amountsOf(option, { currency, at: `currency_options[${currency}]` }),
    ]),
  )
}

/** An update replaces the options that it names and keeps the others; `''` removes all. */
export function mergeOptions(
  row: { readonly currency: string; readonly currency_options: Readonly<Record<string, Amounts>> },
  given: Parsed<typeof currencyOptions> | null,
): Readonly<Record<string, Amounts>> {
  if (given === null) return {}
  if (given[row.currency] !== undefined)
    throw invalid("The amount of a price's own currency cannot be changed.", {
      param: `currency_options[${row.currency}]`,
    })
  return { ...row.currency_options, ...optionsOf(given) }
}

const longest = { day: 1_095, week: 156, month: 36, year: 3 }

/** A period of at most three years; a metered price names a meter. */
export function checkRecurring(given: {
  readonly interval: Recurring['interval']
  readonly interval_count?: number
  readonly meter?: string
  readonly trial_period_days?: number
  readonly usage_type?: Recurring['usage_type']
}): Recurring {
  const { interval, interval_count = 1, meter, usage_type = 'licensed' } = given
  if (interval_count > longest[interval])
    throw invalid('The interval and interval count you have specified exceed the maximum of three years.', {
      param: 'recurring[interval_count]',
    })
  if (usage_type === 'metered' && meter === undefined)
    throw invalid('Metered prices must have a meter: pass `recurring[meter]`.', {
      code: 'parameter_missing',
      param: 'recurring[meter]',
    })
  if (usage_type === 'licensed' && meter !== undefined)
    throw invalid('`recurring[meter]` can only be used when `recurring[usage_type]` is `metered`.', {
      param: 'recurring[meter]',
    })
  return {
    interval,
    interval_count,
    meter: meter ?? null,
    trial_period_days: given.trial_period_days ?? null,
    usage_type,
  }
}
