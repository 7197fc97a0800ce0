type LintSeverity = 'error' | 'warning'

export interface Lint {
  readonly severity: LintSeverity
  /** What it finds. */
  readonly meaning: string
  /** Why that costs money, access or trust. */
  readonly reason: string
  /** Stripe refuses the entry, so it is left out of every plan while this is an error. */
  readonly refused?: true
}

const table = {
  'currency-unknown': {
    severity: 'error',
    refused: true,
    meaning: 'A currency is not one in which Stripe makes prices: `xxq`.',
    reason: 'Stripe refuses the object at apply, after other objects were created.',
  },
  'event-unknown': {
    severity: 'error',
    refused: true,
    meaning: 'An endpoint enables an event that Stripe does not have: `customer.subscription.cancelled`.',
    reason: 'Stripe refuses the endpoint at apply.',
  },
  'portal-refused': {
    severity: 'error',
    refused: true,
    meaning:
      'A portal feature is enabled without the list that it needs, or offers a price that is one-time, archived or of another product.',
    reason: 'Stripe refuses the configuration at apply.',
  },
  'secret-literal': {
    severity: 'error',
    meaning: 'A file contains a key, a signing secret or a token.',
    reason: 'Every person and program that can read the repository, its history or its logs can use it.',
  },
  'tax-behavior-unspecified': {
    severity: 'warning',
    meaning: 'A price does not say whether its amount includes tax.',
    reason:
      'Stripe refuses such a price where it computes tax. The value can be set once and never changed, so a wrong one needs another price. A price that a mapping names repeats an old price, and is not reported.',
  },
  'amount-small': {
    severity: 'warning',
    meaning: 'A price costs less than one unit of its currency, such as `unit_amount: 49` in usd: 0.49 usd.',
    reason:
      'Stripe counts in the smallest unit, so 49.00 usd is `4900`. A price written in whole units charges every member a hundredth. A price that a mapping names repeats an old price, and is not reported.',
  },
  'currency-gap': {
    severity: 'warning',
    meaning: 'A product is sold in a currency for one billing period, but not for another.',
    reason: 'Customers of that currency cannot choose, or change to, the other period.',
  },
  'promotion-code-unlimited': {
    severity: 'warning',
    meaning: 'A promotion code has no end and no limit, and neither has its coupon.',
    reason: 'A code that becomes public can be redeemed for ever.',
  },
  'coupon-forever-free': {
    severity: 'warning',
    meaning: 'A coupon takes 100 % off for ever.',
    reason: 'Its holders never pay again, and count as revenue of zero. Complimentary access needs no subscription.',
  },
  'price-twice': {
    severity: 'warning',
    meaning: 'Two active prices of a product have the same terms.',
    reason: 'Subscribers split between them, and a later change of one misses the others.',
  },
  'price-without-access': {
    severity: 'warning',
    meaning:
      'An active recurring price gives no offer in `access.yaml`, and is not listed under `without_offer`. Prices with subscribers are reported as `price-without-offer`.',
    reason: 'A member who buys it pays and gets no access.',
  },
  'portal-unmapped-price': {
    severity: 'warning',
    meaning: 'A portal offers a price that gives no offer in `access.yaml`.',
    reason: 'A member who changes to it in the portal loses access while they pay.',
  },
  'endpoint-events-missing': {
    severity: 'warning',
    meaning: 'The endpoint of the cancel service does not send an event that the service needs, or is disabled.',
    reason: 'Only the daily reconciliation then finds what happened in Stripe.',
  },
  'lookup-key-differs': {
    severity: 'warning',
    meaning: "A price's `lookup_key` is almost its key, or is the key of another price.",
    reason: 'Programs that look up prices by lookup key then find a price that the name does not describe.',
  },
  'descriptor-long': {
    severity: 'warning',
    meaning:
      'A text on card statements is longer than banks print: 22 characters, which the prefix of the account and its separator share with a suffix.',
    reason: 'Customers do not recognise a cut text, and dispute the charge.',
  },
  'descriptor-unprintable': {
    severity: 'warning',
    meaning: 'A text on card statements has fewer than five characters, no letter, or one of `< > \\ \' " *`.',
    reason: 'Stripe refuses the charge, or prints another text.',
  },
  'lint-comment': {
    severity: 'warning',
    meaning: 'A `# lint-off:` comment names a lint that does not exist.',
    reason: 'It switches nothing off.',
  },
} as const satisfies Readonly<Record<string, Lint>>

export type LintName = keyof typeof table

/** Opinions of `validate` beyond the schema. `lint:` in project.yaml sets another severity. */
export const lints: Readonly<Record<LintName, Lint>> = table

export const lintNames = Object.keys(lints) as readonly LintName[]

/** `off`, or the severity with which a lint is reported. */
export type LintSetting = LintSeverity | 'off'

export const lintSettings: readonly LintSetting[] = ['error', 'warning', 'off']
