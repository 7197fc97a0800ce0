import { idOf } from '../../core/reference.ts'
import { mayCharge } from '../../live/subscription.ts'
import type { Catalog } from '../../catalog/types.ts'
import { splitAddress } from '../../core/address.ts'
import type { Live } from '../../live/accounts.ts'
import type { ObjectRecord } from '../ports.ts'
import type { Sides } from './sides.ts'
import type { Violation } from './violations.ts'

/**
 * Finds a person who pays twice for the same thing: two payers with different customers, the same
 * e-mail address and the same product. A subscriber declared with `pays_twice` and a reason is an
 * intended second payer and does not count. Addresses are compared in memory and never leave this
 * function.
 */
export function samePersonTwice(live: Live, everybody: readonly Sides[], products: ProductKeys): readonly Violation[] {
  const asked = everybody.filter(({ declared }) => declared?.pays_twice === undefined)
  const payers = asked.flatMap((sides) => payersOf(live, sides, products))
  return [...Map.groupBy(payers, ({ email, product }) => `${email} ${product}`).values()].flatMap((same) => {
    const [first, ...others] = same
    const other = others.find((one) => one.customer !== first?.customer)
    if (first === undefined || other === undefined) return []
    return [
      {
        code: 'same_person_pays_twice' as const,
        subscriber: first.key,
        detail: `the same person also pays as ${other.key} for the same product (${first.product})`,
        fix: `ask the member which one to keep, then crossbill cancel the other; if both are intended, give the reason under \`pays_twice\` at ${other.key}`,
      },
    ]
  })
}

interface Payer {
  readonly key: string
  readonly email: string
  readonly customer: string
  readonly product: string
}

/** The catalog's key by `account/prod_…`: each account has its own id for the same product. */
export type ProductKeys = ReadonlyMap<string, string>

export function productKeys({ mappings }: Catalog, known: readonly ObjectRecord[]): ProductKeys {
  const old = [...mappings].flatMap(([source, { products }]) =>
    Object.entries(products).map(([id, key]) => [`${source}/${id}`, key] as const),
  )
  const now = known
    .filter(({ address }) => address.startsWith('product.'))
    .map(({ address, account, id }) => [`${account}/${id}`, splitAddress(address).key] as const)
  return new Map([...old, ...now])
}

function payersOf(live: Live, { key, source, declared, old, alive }: Sides, products: ProductKeys): readonly Payer[] {
  const account = mayCharge(old) ? live.sources.get(source) : live.target
  const subscription = mayCharge(old) ? old : alive.find(mayCharge)
  if (subscription === undefined || account === undefined) return []
  const customer = idOf(subscription.customer)
  const email = account.customers.get(customer)?.email?.trim().toLowerCase() ?? ''
  if (email === '') return []
  // During a move, one customer exists in two accounts. The source account identifies them.
  const home = `${source}/${declared?.customer ?? (old === undefined ? customer : idOf(old.customer))}`
  const ids = subscription.items.data.map(({ price }) => `${account.name}/${idOf(price.product)}`)
  return [...new Set(ids.map((id) => products.get(id) ?? id))].map((product) => ({
    key,
    email,
    customer: home,
    product,
  }))
}
