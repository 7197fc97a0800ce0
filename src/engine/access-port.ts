import type { KnownAccess } from '../catalog/access-read.ts'
import type { GrantStore } from './grants.ts'
import type { KajabiSite, OfferUrls } from './kajabi-port.ts'

/** What plan, apply and verify need to read and change access. */
export interface AccessPort {
  readonly kajabi: KajabiSite
  /** For offers that are given by their activation and deactivation URLs. */
  readonly urls?: OfferUrls
  readonly grants: GrantStore
  /** access.yaml */
  readonly offers: KnownAccess
}
