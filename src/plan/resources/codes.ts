import type { CodeEntry } from '../../handover/codes.ts'

/**
 * Why a declared object is not changed. The codes are stable and documented, each with its meaning
 * and fix.
 */
export const resourceBlockedCodes = {
  foreign_object: {
    meaning:
      'An object that Crossbill did not create has the same id, lookup key, code, url or event name, and it differs from the entry.',
    fix: 'Map it in `mappings/target.yaml` to adopt it, or choose another key, lookup key, code or url.',
  },
  protected: {
    meaning:
      'The change would retire or replace the object, but it is protected (`protect: true`, also stored on the object itself).',
    fix: 'Write `protect: false` in its entry and apply that alone, then make the change. A deleted line does not end the protection.',
  },
  observed_missing: {
    meaning: 'The entry is only observed (`observe: true`), and the account has no such object.',
    fix: 'Map its id in `mappings/target.yaml`, or delete `observe: true` so that Crossbill creates it.',
  },
  natural_key_taken: {
    meaning:
      'The id, lookup key, code or url belongs to an object of another project, of another entry of this project that keeps it, or to one that a person made while this entry has an object already (a promotion code that was deactivated and made again by hand).',
    fix: 'Change it in one of the two entries. Retire the object that has it (`removed:`) in the same plan. Or take the object that a person made out of use in the Dashboard.',
  },
  adopted_differs: {
    meaning: 'The mapped object differs from the entry in fields that Stripe never changes.',
    fix: 'Write its values into the YAML, or delete the mapping so that Crossbill creates another object.',
  },
  id_taken: {
    meaning: 'The change needs a new object, but the id that the YAML names is in use.',
    fix: 'Set another `id`, or delete `id`.',
  },
  cannot_change: {
    meaning:
      'Stripe cannot make this change: an archived feature stays archived, and a default portal or payment-method configuration stays active, so it is not retired either.',
    fix: 'Declare another object under a new key. For a default, delete `active: false` or `retire: true`, or make another one the default in the Dashboard first.',
  },
  mapped_missing: {
    meaning:
      '`mappings/target.yaml` names an object for the entry that the target does not have. Crossbill neither creates another one nor takes another one for it.',
    fix: 'Correct the id in `mappings/target.yaml`, or delete the line so that Crossbill creates the object.',
  },
  time_passed: {
    meaning:
      'The change needs a new object, and a time in the entry has passed (`redeem_by`, `expires_at`, `active_from`), or the coupon of a promotion code can no longer be redeemed. Stripe would refuse it, so the present object stays as it is.',
    fix: 'Write a later time or delete it; to keep an object that exists, restore its earlier values.',
  },
  outside_missing: {
    meaning: 'The object refers by id or lookup key to an object that the account does not have.',
    fix: 'Correct the id or the lookup key, or create that object first.',
  },
  moved_key_in_use: {
    meaning:
      '`moved:` gives the object of another key to this entry, but the entry has an object already. One of the two would be lost, so neither is changed.',
    fix: 'Name a key without an object, or retire one of the two first.',
  },
  moved_unknown: {
    meaning:
      '`moved:` names an old key of which the account has no object, and an object with a similar key has no entry. A new object would be created beside the one that was meant.',
    fix: 'Correct the old key, or delete the line if a new object is wanted.',
  },
  retire_not_managed: {
    meaning:
      'The entry has `retire: true`, but the object is not managed by this project under this key: a person or another program made it, or another entry or project has it.',
    fix: 'Adopt it first, retire it through the entry that has it, or take it out of use in the dashboard and delete the entry.',
  },
  retire_unidentified: {
    meaning:
      'A line of `removed:` names an object of a kind without metadata (tax registrations, meters, payment-method domains and configurations). Nothing but the store knows which object it was, and this store does not, so nothing is retired.',
    fix: 'Write its entry again with `retire: true` instead of the line, which finds it by its place, event name, domain or name. If it is retired already, delete the line.',
  },
  reference_blocked: {
    meaning: 'The object refers to another object that is blocked.',
    fix: 'Fix the other object first.',
  },
  amount_not_chargeable: {
    meaning:
      'The amount of a price cannot be charged, because Stripe charges three-decimal currencies in multiples of 10 of the smallest unit. Old accounts may still hold such prices.',
    fix: 'Map the old price to a price whose amount ends in 0, or exclude its subscribers with a reason; they stay in the source.',
  },
  secret_to_missing: {
    meaning:
      'Stripe returns the signing secret of a webhook endpoint only at its creation, and the entry does not say where to store it.',
    fix: 'Write `secret_to: { env_file: .env, name: NAME }`, `{ file: PATH }` or `{ command: [...] }`.',
  },
  price_change_unsaid: {
    meaning: 'A field that Stripe never changes differs, and the price has subscriptions.',
    fix: 'Write `on_change: new_only` (they keep the old price) or `on_change: at_renewal` (they get the new price at their next renewal).',
  },
  price_change_not_at_renewal: {
    meaning:
      '`on_change: at_renewal` with another interval, currency, billing scheme or product: this would change when, or in which currency, subscribers are billed.',
    fix: 'Write `on_change: new_only`, or declare a separate price.',
  },
  price_change_not_yet: {
    meaning:
      '`on_change: at_renewal` while subscriptions on the price have not renewed in the target yet (an update before the anchor may remove their discount), or are controlled by a schedule.',
    fix: 'Plan again after their first renewal or after the end of the schedule, or write `on_change: new_only`.',
  },
  tax_change_unsaid: {
    meaning: 'A field of a tax rate that Stripe never changes differs, and subscriptions are billed with the rate.',
    fix: 'Write `on_change: new_only` (they keep the old rate) or `on_change: at_renewal` (they are billed with the new rate from their next renewal on).',
  },
  tax_change_not_yet: {
    meaning:
      '`on_change: at_renewal` while subscriptions on the tax rate have not renewed in the target yet (an update before the anchor may remove their discount), or are controlled by a schedule.',
    fix: 'Plan again after their first renewal or after the end of the schedule, or write `on_change: new_only`.',
  },
} as const satisfies Readonly<Record<string, CodeEntry>>

export type ResourceBlockedCode = keyof typeof resourceBlockedCodes

/** Changes to declared objects made outside Crossbill. */
export const resourceDriftCodes = {
  gone: {
    meaning: 'The object was deleted outside Crossbill.',
    fix: 'Nothing to do: the plan creates it again. If it is no longer needed, delete its entry.',
  },
  changed_outside: {
    meaning: 'Declared fields were changed outside Crossbill since the last apply.',
    fix: 'Nothing to do: the plan reverts them. To keep the new values, run `crossbill pull --source target`.',
  },
  observed_differs: {
    meaning: 'An object that is only observed (`observe: true`) differs from its entry.',
    fix: 'Run `crossbill pull --source target` to write its current values into the YAML, or change the object where it is managed.',
  },
  duplicate_mark: {
    meaning:
      'A newer object carries the same marks, for example a duplicate made in the dashboard. Crossbill neither uses nor changes it.',
    fix: 'Delete `crossbill_project` and `crossbill_address` from its metadata.',
  },
} as const satisfies Readonly<Record<string, CodeEntry>>

export type ResourceDriftCode = keyof typeof resourceDriftCodes
