import { planAccess, type AccessDecision, type Granted, type Holders, type Paying } from '../../access/plan.ts'
import type { Access } from '../../catalog/schemas/access.ts'
import { success, type Outcome } from '../../core/outcome.ts'
import type { Keyless } from '../../plan/change.ts'
import type { AccessChange, Step } from '../../plan/types.ts'
import { givenByUrls } from './by-urls.ts'
import type { KajabiSite } from '../kajabi-port.ts'
import type { PersonalClaim } from './claims.ts'

/** The holders of each offer, by its key in access.yaml. Offers given by URLs cannot be read. */
export async function readHolders(kajabi: KajabiSite, access: Access): Promise<Outcome<ReadonlyMap<string, Holders>>> {
  const all = new Map<string, Holders>()
  for (const [key, offer] of Object.entries(access.offers)) {
    if (offer.urls !== undefined) continue
    const holders = await kajabi.holders(offer.kajabi)
    if (!holders.ok) return holders
    all.set(key, holders.value)
  }
  return success(all)
}

/** What a member holds and pays for. */
export type Kept = Granted & Required<Pick<Granted, 'prices'>>

/** The access part of a plan, and the number of grants that need no change. */
export interface AccessPlan {
  readonly changes: readonly Keyless<AccessChange>[]
  readonly unchanged: number
  /** Members who hold what they pay for, and by which subscribers. */
  readonly kept: readonly Kept[]
  /**
   * Addresses of the revokes from members who still pay what the offer was given for: an edit of
   * access.yaml is the cause, and not an end.
   */
  readonly fromPayers: readonly string[]
}

/**
 * Grants and revokes as changes of a plan, named by the first subscriber that gives the offer. They
 * hold only ids, so that a saved plan contains no e-mail address. The contact of a grant is found
 * or created when the change is carried out; until then `{contact}` in the path stands for it.
 */
export function accessChanges(
  access: Access,
  claims: readonly PersonalClaim[],
  holders: ReadonlyMap<string, Holders>,
  granted: readonly Granted[],
): AccessPlan {
  const decisions = planAccess(access, claims, holders, granted)
  const changes = decisions.flatMap((one) => (one.kind === 'keep' ? [] : [change(access, one)]))
  const kept = decisions.flatMap((one) => {
    const { offer, subscribers } = one
    return one.kind === 'keep' ? [{ contact: one.contact, offer, subscribers, prices: one.prices }] : []
  })
  const fromPayers = decisions.flatMap((one) =>
    one.kind === 'revoke' && (one.paying?.noLonger.length ?? 0) > 0 ? [addressOf(one)] : [],
  )
  return { changes, unchanged: decisions.length - changes.length, kept, fromPayers }
}

function addressOf({ offer, subscribers }: AccessDecision): string {
  return `access.${subscribers[0] ?? ''}.${offer}`
}

/** Why an offer is revoked; a member who pays is never said to have stopped. */
function reasonOf(offer: string, paying: Paying | undefined): string {
  if (paying === undefined) return 'does not pay for it any more'
  const { prices, noLonger } = paying
  return noLonger.length > 0
    ? `the catalog no longer gives ${offer} for price ${noLonger.join(', ')}; still pays`
    : `still pays, for price ${prices.join(', ')}, which does not give ${offer}`
}

type Due = Exclude<AccessDecision, { readonly kind: 'keep' }>

function change(access: Access, decision: Due): Keyless<AccessChange> {
  const { offer, subscribers } = decision
  const { kajabi: id = '', welcome_email: welcome = false } = access.offers[offer] ?? {}
  const address = addressOf(decision)
  const granting = decision.kind === 'grant'
  const contact = granting ? '{contact}' : decision.contact
  const byUrls = givenByUrls(access, offer)
  const params = {
    data: [{ type: 'offers', id }],
    ...(granting ? { meta: { send_customer_welcome_email: welcome } } : {}),
  }
  // An offer's real URL contains a key, which a plan must not show.
  const path = byUrls
    ? `/webhooks/offers/${id}/${granting ? 'activate' : 'deactivate'}`
    : `/v1/contacts/${contact}/relationships/offers`
  const method: Step['method'] = granting || byUrls ? 'POST' : 'DELETE'
  const step = { id: decision.kind, account: 'kajabi', method, path, params: byUrls ? {} : params }
  const described = { address, people: 1, steps: [step] }
  const expect = { offer, subscribers: [...subscribers] }
  return granting
    ? {
        ...described,
        action: 'grant',
        because: ['pays for it'],
        patch: [{ op: 'add', path: `/${offer}`, value: id }],
        expect,
      }
    : {
        ...described,
        action: 'revoke',
        because: [reasonOf(offer, decision.paying)],
        patch: [{ op: 'remove', path: `/${offer}` }],
        expect: { ...expect, contact },
      }
}
