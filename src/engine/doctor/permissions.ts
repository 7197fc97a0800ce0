import { targetAccount } from '../../catalog/types.ts'
import type { JsonObject } from '../../core/json.ts'
import { listsOf } from '../../kinds/expansions.ts'
import type { Kind } from '../../kinds/kind.ts'
import { sourceKinds } from '../../pull/entries.ts'
import type { Context } from '../context.ts'
import type { DoctorFinding } from '../finding.ts'
import type { StripeAccount } from '../ports.ts'
import { expansionsOfLists } from '../read/account.ts'
import { kindsToRead } from '../read/resources.ts'
import { sendPatiently } from '../send/perform.ts'

/** Lists of people and of what they pay, which every command reads in every account. */
const ofPeople = ['subscriptions', 'customers', 'invoices', 'invoiceitems', 'subscription_schedules']
/** A revert reads the payments of the renewal that it takes back, with their charges. */
const inTarget = [...ofPeople, 'setup_intents', 'payment_intents', 'charges']
/** What members' card pages read in the target, in projects that can make card links. */
const ofCardPages = ['checkout/sessions']

/**
 * Reads what a plan and a pull would read in the account. A restricted key shows a missing
 * permission only when the list is read.
 */
export async function checkPermissions(context: Context, account: StripeAccount): Promise<DoctorFinding[]> {
  const isTarget = account.name === targetAccount
  const kinds = isTarget ? kindsToRead(context.catalog, await context.store.objects()) : sourceKinds
  const { serve } = context.catalog.project
  const hasCardLinks = isTarget && serve?.public_url !== undefined && serve.link_secrets !== undefined
  const lists = [...(isTarget ? inTarget : ofPeople), ...(hasCardLinks ? ofCardPages : [])]
  const reads = [...lists.map((list) => firstOf(account.name, list)), ...kinds.map(firstOfKind)]
  const findings: DoctorFinding[] = []
  for (const { path, params } of reads) {
    const outcome = await sendPatiently(context, account, { method: 'GET', path, params })
    if (outcome.ok) continue
    const resource = path.replace(/^\/v\d\//, '')
    const { expand, ...alone } = params
    const isExpansion =
      expand !== undefined && (await sendPatiently(context, account, { method: 'GET', path, params: alone })).ok
    const about = { check: 'permission', status: 'failed', account: account.name } as const
    const message = `reading ${resource} ${isExpansion ? 'with what belongs to them ' : ''}was refused: ${outcome.failure.message}`
    const fix = isExpansion
      ? 'give the key the read access that the message names (for customers: payment methods)'
      : `give the key read access to ${resource} (and write access to subscriptions for the cutover)`
    findings.push({ ...about, message, fix })
  }
  if (findings.length > 0) return findings
  return [{ check: 'permission', status: 'ok', account: account.name, message: 'all lists can be read', fix: '' }]
}

interface Read {
  readonly path: string
  readonly params: JsonObject
}

/**
 * One object of a list, with the expansions with which a plan reads it: a key that may read
 * customers may still not read the payment method of one.
 */
const firstOf = (account: string, resource: string): Read => {
  const expand = expansionsOfLists(account)[resource]
  return { path: `/v1/${resource}`, params: { limit: 1, ...(expand === undefined ? {} : { expand: [...expand] }) } }
}

function firstOfKind(kind: Kind): Read {
  return { path: kind.path, params: kind.single === undefined ? { ...listsOf(kind)[0], limit: 1 } : {} }
}
