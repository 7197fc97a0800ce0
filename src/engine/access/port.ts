import type { Access } from '../../access/schema.ts'
import type { InboxStore } from '../inbox/port.ts'
import type { KajabiSite, OfferUrls } from '../kajabi-port.ts'

/** What plan, apply and verify need to see and change who has access. */
export interface AccessPort {
  readonly kajabi: KajabiSite
  /** For offers that are given by their activation and deactivation URLs. */
  readonly urls?: OfferUrls
  readonly grants: Pick<InboxStore, 'grants' | 'putGrants' | 'removeGrants' | 'holdings' | 'setHoldings'>
  /** access.yaml */
  readonly offers: Access
}
