import type { Catalog } from '../../catalog/types.ts'
import type { StripeObject } from '../../core/json.ts'

/**
 * The address at which the cancel service receives an account's events; undefined for a project
 * without a public URL.
 */
export function serviceEndpoint({ project }: Pick<Catalog, 'project'>, account: string): string | undefined {
  const url = project.serve?.public_url
  return typeof url === 'string' ? `${withoutSlash(url)}/stripe/webhooks/${account}` : undefined
}

/** Whether a live endpoint is the cancel service's own. */
export function isServiceEndpoint(address: string | undefined, endpoint: StripeObject): boolean {
  const { url } = endpoint
  return address !== undefined && typeof url === 'string' && withoutSlash(url) === address
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '')
}
