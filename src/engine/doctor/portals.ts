import { makesProrations } from '../../live/portals.ts'
import type { Context } from '../context.ts'
import type { DoctorFinding } from '../finding.ts'
import { listed } from '../send/listed.ts'

/**
 * Portals of the target, also those that no file declares, in which members change their
 * subscriptions with a proration. Before the first renewal there, such a change gives no credit for
 * the time that the old account was paid for. Checked until every subscriber is settled.
 */
export async function checkPortals({ accounts: { target }, catalog }: Context): Promise<readonly DoctorFinding[]> {
  if (catalog.subscribers.every(({ stage, excluded }) => stage === 'settled' || excluded !== undefined)) return []
  const portals = await listed(target, '/v1/billing_portal/configurations', { active: true })
  // A key without this permission has a finding of its own.
  if (!portals.ok) return []
  const base = { check: 'portal_prorates', account: target.name }
  const open = portals.value.filter(makesProrations).map(({ id }) => id ?? '')
  if (open.length === 0)
    return [{ ...base, status: 'ok', message: 'no portal changes subscriptions with a proration', fix: '' }]
  return [
    {
      ...base,
      status: 'warning',
      message: `portal ${open.join(', ')} changes or ends subscriptions with a proration; until the first renewal of a moved member, Stripe gives no credit for what the old account was paid`,
      fix: 'set `proration_behavior: none` in these portals until the first renewals are over; `crossbill verify` names each change with what is owed',
    },
  ]
}
