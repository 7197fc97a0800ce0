import type { Project } from './types.ts'

/** The events that each endpoint should send. Other events are answered and ignored. */
export const heardEvents = {
  target: [
    'customer.subscription.deleted',
    'customer.discount.deleted',
    'invoice.payment_failed',
    'invoice.finalization_failed',
  ],
  source: ['customer.subscription.deleted', 'customer.subscription.updated'],
} as const

/**
 * The address at which the cancel service receives an account's events; undefined for a project
 * without a public URL.
 */
export function serviceEndpoint({ project }: { readonly project: Project }, account: string): string | undefined {
  const url = project.serve?.public_url
  return typeof url === 'string' ? `${withoutSlash(url)}/stripe/webhooks/${account}` : undefined
}

/** Whether an endpoint is the cancel service's own. */
export function isServiceEndpoint(
  address: string | undefined,
  endpoint: { readonly [name: string]: unknown },
): boolean {
  const { url } = endpoint
  return address !== undefined && typeof url === 'string' && withoutSlash(url) === address
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '')
}
