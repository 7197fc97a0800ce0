import { isJsonObject, objectIn, type StripeObject, textIn } from '../../core/json.ts'
import type { Context } from '../context.ts'
import type { DoctorFinding } from '../finding.ts'
import { listed } from '../send/listed.ts'
import { read } from '../send/perform.ts'
import type { StripeAccount } from '../ports.ts'

/**
 * Compares where each account collects automatic tax. The setting is made in the Dashboard and no
 * copy transfers it, so the tax of whole countries can differ
 * (https://docs.stripe.com/api/tax/registrations). Reads nothing when Stripe computes no
 * subscriber's tax.
 */
export async function checkTaxSettings(context: Context): Promise<readonly DoctorFinding[]> {
  const { accounts, catalog } = context
  const taxed = catalog.subscribers.filter((one) => one.automatic_tax && one.excluded === undefined)
  const names = new Set(taxed.map(({ source }) => source))
  if (names.size === 0) return []
  const settings = await read(context, accounts.target, '/v1/tax/settings')
  if (!settings.ok) return [unread(accounts.target, settings.failure.message)]
  if (settings.value['status'] !== 'active')
    return [
      {
        check: 'stripe_tax_inactive',
        status: 'failed',
        account: accounts.target.name,
        message: `Stripe computes the tax of ${taxed.length} subscriber(s), and Stripe Tax is not set up in the target`,
        fix: 'set it up (https://dashboard.stripe.com/settings/tax): none of them can be moved until then',
      },
    ]
  const target = await placesOf(accounts.target)
  if (!target.ok) return [unread(accounts.target, target.message)]
  const findings: DoctorFinding[] = []
  for (const account of accounts.sources.values()) {
    if (!names.has(account.name)) continue
    const source = await placesOf(account)
    findings.push(source.ok ? compared(account, source.places, target.places) : unread(account, source.message))
  }
  return findings
}

function compared({ name }: StripeAccount, source: ReadonlySet<string>, target: ReadonlySet<string>): DoctorFinding {
  const lost = [...source].filter((place) => !target.has(place))
  const added = [...target].filter((place) => !source.has(place))
  const check = 'tax_registrations'
  if (lost.length + added.length === 0)
    return {
      check,
      status: 'ok',
      account: name,
      message: `collects tax where the target does: ${told(source)}`,
      fix: '',
    }
  const parts = [
    ...(lost.length === 0 ? [] : [`the target does not collect tax in ${told(lost)}`]),
    ...(added.length === 0 ? [] : [`only the target collects tax in ${told(added)}`]),
  ]
  return {
    check,
    status: 'warning',
    account: name,
    message: parts.join('; '),
    fix: 'add what is missing to the target’s registrations, or expect those countries in `tax_differs` and accept them in policies.tax_accepted',
  }
}

function told(places: Iterable<string>): string {
  return [...places].toSorted().join(', ') || 'nowhere'
}

type Places =
  | { readonly ok: true; readonly places: ReadonlySet<string> }
  | { readonly ok: false; readonly message: string }

async function placesOf(account: StripeAccount): Promise<Places> {
  const list = await listed(account, '/v1/tax/registrations', { status: 'active' })
  if (!list.ok) return { ok: false, message: list.failure.message }
  return { ok: true, places: new Set(list.value.map(placeOf)) }
}

/** `DE`, `US-CA`, `IE (oss_union)`: a one-stop shop covers the whole Union. */
function placeOf({ country, country_options: options }: StripeObject): string {
  const code = textIn(country)
  const own = isJsonObject(options) ? options[code.toLowerCase()] : undefined
  const { state, type } = objectIn(own)
  if (typeof state === 'string') return `${code}-${state}`
  return typeof type === 'string' && type.includes('oss') ? `${code} (${type})` : code
}

function unread({ name }: StripeAccount, message: string): DoctorFinding {
  return {
    check: 'tax_registrations',
    status: 'warning',
    account: name,
    message: `could not be read: ${message}`,
    fix: 'give the key read access to tax settings and registrations, or compare them in the Dashboard',
  }
}
