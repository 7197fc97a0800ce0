import type { Diagnostic, Position } from '../core/diagnostic.ts'
import { lints, type LintName, type LintSetting } from './lint-names.ts'

/**
 * Every rule of `validate` and its meaning. The names are stable; the docs are generated from this
 * table.
 */
export const ruleMeanings = {
  'missing-project': 'There is no `catalog/project.yaml`.',
  'unknown-file': 'A YAML file is in a place where Crossbill does not read it.',
  'file-too-large': 'A file is larger than the limit.',
  'not-text': 'A file is not UTF-8 text.',
  'yaml-syntax': 'A file is not valid YAML.',
  'yaml-form':
    'A value whose YAML meaning differs from what its text suggests: `4.9e3`, `0x1324`, a tag (`!!omap`), a directive, a merge key (`<<`), a lone carriage return.',
  'number-form': 'An amount or a count is not written as a whole number: `49.00`.',
  'yaml-documents': 'A file contains several YAML documents (`---`).',
  'too-deep': 'A value is nested deeper than any part of a catalog.',
  'too-many-aliases': 'Aliases (`*name`) expand to more text than the limit.',
  'duplicate-key': 'A key is written twice, in one file or in several.',
  'unknown-key': 'A key is not allowed in this place.',
  'bad-key': 'A key contains characters that are not allowed, or begins with `crossbill_`.',
  'missing-key': 'A required key is missing.',
  'wrong-type': 'A value has the wrong type: for example a number instead of text, or a list instead of a map.',
  'not-allowed': 'A value is not one of the allowed values.',
  'bad-format': 'Text does not have the required format, such as a date, an address or a currency.',
  'bad-form': 'A value has none of the allowed forms.',
  'out-of-range': 'A number is too small or too large, a text is too long, or a list is too short.',
  'more-findings': 'A file has more findings than are listed.',
  'unknown-reference': 'An entry refers to a key that is not declared.',
  'unknown-source': 'A file names an account that `project.yaml` does not have.',
  'account-twice': 'Two names in `project.yaml` refer to the same account.',
  'mixed-modes': 'An account is in live mode and the target in test mode, or the other way round.',
  'duplicate-subscriber': 'A subscription is declared twice.',
  'duplicate-natural-key':
    'Two objects have the same id, lookup key, code, url or event name, which must be unique in Stripe.',
  'secret-place-twice': 'Two entries store their signing secrets in the same place: one would replace the other.',
  'price-amount': 'A price has no amount, or more than one.',
  'price-tiers': 'Tiers are not in rising order, do not end in `inf`, or lack their scheme or mode.',
  'price-interval': 'A price has a billing period of more than three years.',
  'price-meter': 'A metered price has no meter, or a meter is on a price that is not metered.',
  'price-smallest-unit': 'An amount in a three-decimal currency does not end in 0.',
  'mirrored-values': 'An entry has two different values for one thing that Stripe has in two places.',
  'default-price': 'A default price belongs to another product, or is archived.',
  'coupon-terms':
    'A coupon has no discount or two, has an amount without a currency, or has months without `duration: repeating`.',
  'promotion-minimum': 'A minimum amount has no currency, or a currency has no minimum amount.',
  'promotion-expiry': 'A promotion code expires after the time until which its coupon can be redeemed.',
  'excluded-stage': 'A subscriber is both excluded and moved.',
  'override-twice': '`override` names two codes that decide the same question differently.',
  'price-not-recurring': 'A subscriber is on a one-time price.',
  'currency-mismatch': 'A subscriber is billed in a currency that a price or an amount-off coupon does not have.',
  lifecycle:
    '`retire`, `protect`, `observe`, `ignore_fields`, `removed:` or `moved:` contradict each other or name something that does not exist.',
  'revoked-means-with-day-limit':
    'An offer with a day limit has `revoked_means: cancel`: its expiry would count as a cancel.',
  'cancel-tag-twice': 'One tag requests the cancellation of two offers.',
  'price-without-offer':
    'Subscribers pay a price that no offer of `access.yaml` names. This is a warning; list prices that give no access on purpose under `without_offer`.',
} as const

export type RuleName = keyof typeof ruleMeanings

/** Creates a finding of severity error. */
export function error(rule: RuleName, message: string, fix: string, at: Position | undefined): Diagnostic {
  return { severity: 'error', rule, message, fix, ...(at === undefined ? {} : { at }) }
}

/** Creates a finding that does not stop the run. */
export function warning(rule: RuleName, message: string, fix: string, at: Position | undefined): Diagnostic {
  return { ...error(rule, message, fix, at), severity: 'warning' }
}

/** How strict each lint is in a project; an absent one has its default. */
export type LintSwitches = Readonly<Partial<Record<LintName, LintSetting>>>

/** Creates a finding of a lint with the severity that the project sets; nothing when it is off. */
export function lint(
  name: LintName,
  switches: LintSwitches,
  words: { readonly message: string; readonly fix: string; readonly at: Position | undefined },
): readonly Diagnostic[] {
  const severity = switches[name] ?? lints[name].severity
  const { message, fix, at } = words
  return severity === 'off' ? [] : [{ severity, rule: name, message, fix, ...(at === undefined ? {} : { at }) }]
}
