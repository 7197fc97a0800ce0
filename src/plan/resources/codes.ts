import type { CodeEntry } from '../../handover/codes.ts'

/** Why a declared object is left as it is: stable, documented, each with what it means and what to do. */
export const resourceBlockedCodes = {
  foreign_object: {
    meaning:
      'Somebody else made an object with the same id, lookup key, code, url or event name, and it differs from what is declared.',
    fix: 'Map it in `mappings/target.yaml` to take it over, or choose another key, lookup key, code or url.',
  },
  protected: {
    meaning:
      'The object is protected (`protect: true`, which also stands on the object itself), and would be retired or replaced.',
    fix: 'Write `protect: false` in its entry and apply that first.',
  },
  observed_missing: {
    meaning: 'The entry is only observed (`observe: true`), and the account has no such object.',
    fix: 'Map its id in `mappings/target.yaml`, or take `observe: true` away to have it made.',
  },
  natural_key_taken: {
    meaning:
      'The id, lookup key, code or url belongs to an object of another project, or of another entry of this one.',
    fix: 'Give one of the two another one.',
  },
  adopted_differs: {
    meaning: 'The mapped object differs from what is declared in fields that Stripe never changes.',
    fix: 'Write its values into the YAML, or take the mapping away to have another object made.',
  },
  id_taken: {
    meaning: 'The change needs another object, and its id, which the YAML names, is in use.',
    fix: 'Write another `id`, or none.',
  },
  cannot_change: {
    meaning: 'Stripe offers no way to change this back (a feature is archived for good).',
    fix: 'Declare another object under a new key.',
  },
  reference_blocked: {
    meaning: 'It would be made of, or pointed at, an object that is blocked itself.',
    fix: 'Mend that one first.',
  },
  amount_not_chargeable: {
    meaning:
      'The amount of a price cannot be charged: Stripe takes currencies with three decimals in tens of the smallest unit. Old accounts may still hold such prices.',
    fix: 'Map the old price to one whose amount ends in 0, or exclude its people with a reason; they stay where they are.',
  },
  secret_to_missing: {
    meaning:
      'Stripe tells the signing secret of a webhook endpoint once, when it is made, and nothing says where it goes.',
    fix: 'Write `secret_to: { env_file: .env, name: NAME }`, `{ file: PATH }` or `{ command: [...] }`.',
  },
  price_change_unsaid: {
    meaning: 'A field that Stripe never changes differs, and subscriptions are on the price.',
    fix: 'Write `on_change: new_only` (they keep the old price) or `on_change: at_renewal` (they get the new one with their next renewal).',
  },
  price_change_not_at_renewal: {
    meaning:
      '`on_change: at_renewal` with another interval, currency, billing scheme or product: it would change when or in what people are billed.',
    fix: 'Write `on_change: new_only`, or declare a price of its own.',
  },
  price_change_not_yet: {
    meaning:
      '`on_change: at_renewal` while subscriptions on the price have not renewed in the target yet (an update before the anchor may unset their discount), or are run by a schedule.',
    fix: 'Plan again after their first renewal, or the end of the schedule; or write `on_change: new_only`.',
  },
} as const satisfies Readonly<Record<string, CodeEntry>>

export type ResourceBlockedCode = keyof typeof resourceBlockedCodes

/** What happened to declared objects outside. */
export const resourceDriftCodes = {
  gone: {
    meaning: 'The object was deleted outside.',
    fix: 'Nothing to do: the plan makes it again. To let it go, take it out of the YAML.',
  },
  changed_outside: {
    meaning: 'Fields that are declared were changed outside since the last apply.',
    fix: 'Nothing to do: the plan sets them back. To keep them as they are, run `crossbill pull --source target`.',
  },
  observed_differs: {
    meaning: 'An object that is only observed (`observe: true`) is not as its entry says.',
    fix: 'Run `crossbill pull --source target` to write down how it is, or change it where it is looked after.',
  },
  duplicate_mark: {
    meaning:
      'A newer object carries the same marks, as when one is duplicated in the dashboard. It is neither used nor changed.',
    fix: 'Take `crossbill_project` and `crossbill_address` out of its metadata.',
  },
} as const satisfies Readonly<Record<string, CodeEntry>>

export type ResourceDriftCode = keyof typeof resourceDriftCodes
