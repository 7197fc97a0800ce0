import type { Diagnostic, Position } from '../core/diagnostic.ts'

/** Every rule by which `validate` finds something wrong, and what it means. The names are stable; the docs are generated from here. */
export const ruleMeanings = {
  'missing-project': 'There is no `catalog/project.yaml`.',
  'unknown-file': 'A YAML file lies where nothing reads it.',
  'file-too-large': 'A file is larger than what is read.',
  'not-text': 'A file holds bytes that are no UTF-8 text.',
  'yaml-syntax': 'A file is no YAML.',
  'yaml-form':
    'A form that would be read as something else than it says: `4.9e3`, `0x1324`, a tag (`!!omap`), a directive, a merge key (`<<`), a lone carriage return.',
  'number-form': 'An amount or a count is no whole number as it is written: `49.00`.',
  'yaml-documents': 'A file holds several YAML documents (`---`).',
  'too-deep': 'Something is nested deeper than anything in a catalog.',
  'too-many-aliases': 'Aliases (`*name`) unfold to more than was meant.',
  'duplicate-key': 'A key is written twice, in one file or in several.',
  'unknown-key': 'A key is not one of those that may stand there.',
  'bad-key': 'A key has letters that a key cannot have, or begins with `crossbill_`.',
  'missing-key': 'Something that must be said is not.',
  'wrong-type': 'A number stands where text belongs, a list where a map belongs, and so on.',
  'not-allowed': 'A word is not one of those that may stand there.',
  'bad-format': 'Text has not the form asked for: a date, an address, a currency.',
  'bad-form': 'A value has none of the forms it may have.',
  'out-of-range': 'A number is too small or too large, a text too long, a list too short.',
  'more-findings': 'A file has more findings than are listed.',
  'unknown-reference': 'A key is used that is declared nowhere.',
  'unknown-source': 'An account is named that `project.yaml` does not have.',
  'account-twice': 'Two names of `project.yaml` stand for one account.',
  'mixed-modes': 'An account is in live mode and the target in test mode, or the other way round.',
  'duplicate-subscriber': 'A subscription is declared twice.',
  'duplicate-natural-key':
    'Two objects have the same id, lookup key, code, url or event name, which Stripe lets exist once.',
  'price-amount': 'A price has no amount, or says it in two ways.',
  'price-tiers': 'Tiers are not in rising order, do not end in `inf`, or lack their scheme or mode.',
  'price-interval': 'A price is billed more rarely than every three years.',
  'price-meter': 'A metered price has no meter, or a meter is on a price that is not metered.',
  'price-smallest-unit': 'An amount in a three-decimal currency does not end in 0.',
  'default-price': 'A default price belongs to another product, or is archived.',
  'coupon-terms':
    'A coupon takes off nothing or two things, has an amount without a currency, or months without repeating.',
  'promotion-minimum': 'A least purchase has no currency, or a currency no least purchase.',
  'excluded-stage': 'A subscriber is excluded and moved.',
  'price-not-recurring': 'A subscriber is on a one-time price.',
  'currency-mismatch': 'A subscriber is billed in a currency that a price or an amount-off coupon does not have.',
  lifecycle:
    '`retire`, `protect`, `observe`, `ignore_fields`, `removed:` or `moved:` contradict each other or name something that is not there.',
  'revoked-means-with-day-limit': 'An offer that ends by itself would be read as a cancel.',
  'cancel-tag-twice': 'A tag means the cancel of two offers.',
  'price-without-offer':
    'Subscribers pay a price that no offer of `access.yaml` names (a warning: what is meant to give no access stands under `without_offer`).',
} as const

export type RuleName = keyof typeof ruleMeanings

/** A finding of an error. */
export function error(rule: RuleName, message: string, fix: string, at: Position | undefined): Diagnostic {
  return { severity: 'error', rule, message, fix, ...(at === undefined ? {} : { at }) }
}

/** A finding that keeps nothing from going on. */
export function warning(rule: RuleName, message: string, fix: string, at: Position | undefined): Diagnostic {
  return { ...error(rule, message, fix, at), severity: 'warning' }
}
