import { kinds } from '../../kinds/registry.ts'
import type { Kind } from '../../kinds/kind.ts'
import type { Live } from '../../live/accounts.ts'
import type { StripeAccount } from '../ports.ts'
import { readResources } from './resources.ts'

/** The kinds whose objects the requests change; undefined when one changes anything else. */
export function kindsOfRequests(requests: readonly { readonly path: string }[]): readonly Kind[] | undefined {
  const touched = new Set<Kind>()
  for (const { path } of requests) {
    const kind = kinds.find((one) => path === one.path || path.startsWith(`${one.path}/`))
    if (kind === undefined) return undefined
    touched.add(kind)
    for (const other of kinds) if (other.name === kind.parts?.name) touched.add(other)
  }
  return [...touched]
}

/** The reading with these kinds of the target read again; nothing else can have changed. */
export async function readAgain(live: Live, target: StripeAccount, touched: readonly Kind[]): Promise<Live> {
  const resources = await readResources(target, touched)
  const pairs = <T>(name: 'price' | 'coupon', before: T): T => {
    const now = resources.get(name)
    // As in the first reading: Stripe's answers, by the types of the SDK.
    return now === undefined ? before : (new Map(now.map((one) => [one.id ?? '', one])) as T)
  }
  const { prices, coupons } = live.target
  return {
    ...live,
    resources: new Map([...live.resources, ...resources]),
    target: {
      ...live.target,
      now: target.now(),
      ...(prices === undefined ? {} : { prices: pairs('price', prices) }),
      ...(coupons === undefined ? {} : { coupons: pairs('coupon', coupons) }),
    },
  }
}
