import { objectIn, type StripeObject } from '../core/json.ts'
import type { LiveResources } from './accounts.ts'

/**
 * The portal of an account in which a member ends a subscription at once and is asked for no
 * reason. Such an end shows nothing that the member said, and looks like one by a person in the
 * Dashboard. Undefined without such a portal.
 */
export function portalWithoutReason(resources: LiveResources): string | undefined {
  const portals = resources.get('portal_configuration') ?? []
  return portals.find(endsWithoutReason)?.id
}

function endsWithoutReason({ active, features }: StripeObject): boolean {
  const { enabled, mode, cancellation_reason: reason } = objectIn(objectIn(features)['subscription_cancel'])
  return active === true && enabled === true && mode === 'immediately' && objectIn(reason)['enabled'] !== true
}

/** Whether members can change their subscriptions in this portal, or end them, with a proration. */
export function makesProrations({ active, features }: StripeObject): boolean {
  const { subscription_update: update, subscription_cancel: cancel } = objectIn(features)
  const prorates = (feature: unknown): boolean => {
    const { enabled, proration_behavior: behavior } = objectIn(feature)
    return enabled === true && behavior !== 'none'
  }
  // A cancel at the end of a period leaves nothing to credit.
  return active === true && (prorates(update) || (prorates(cancel) && objectIn(cancel)['mode'] === 'immediately'))
}
