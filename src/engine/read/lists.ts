import { canonicalJson } from '../../core/canonical.ts'
import type { Json, StripeObject } from '../../core/json.ts'
import { expansionsLeft, listsOf } from '../../kinds/expansions.ts'
import type { Kind } from '../../kinds/kind.ts'
import type { Params, StripeAccount } from '../ports.ts'
import { whole } from './shape.ts'

export async function listAll(account: StripeAccount, path: string, params: Params): Promise<StripeObject[]> {
  const all: StripeObject[] = []
  for await (const one of account.list(path, params)) all.push(whole(account.name, path, one))
  return all
}

/** An account for one pass: each list and each object is read once, by any number of readers. */
export function readOnce(account: StripeAccount): StripeAccount {
  const lists = new Map<string, Promise<readonly StripeObject[]>>()
  const objects = new Map<string, Promise<StripeObject>>()
  const remembered = <T>(seen: Map<string, Promise<T>>, name: string, read: () => Promise<T>): Promise<T> => {
    const known = seen.get(name)
    if (known !== undefined) return known
    const reading = read()
    seen.set(name, reading)
    return reading
  }
  const nameOf = (path: string, params: Params): string => `${path} ${canonicalJson(params as Json)}`
  return {
    ...account,
    async *list(path, params = {}) {
      yield* await remembered(lists, nameOf(path, params), () => listAll(account, path, params))
    },
    retrieve: (path, params = {}) => remembered(objects, nameOf(path, params), () => account.retrieve(path, params)),
  }
}

/** Reads every object of a kind, with everything that is compared. */
export async function readKind(account: StripeAccount, kind: Kind): Promise<readonly StripeObject[]> {
  if (kind.single !== undefined) return [{ ...(await account.retrieve(kind.path)), id: kind.single }]
  const lists = await Promise.all(listsOf(kind).map((params) => listAll(account, kind.path, params)))
  const objects = [...new Map(lists.flat().map((one) => [one.id ?? '', one])).values()]
  return Promise.all(objects.map((one) => complete(account, kind, one)))
}

/** The object, with the parts that a list cannot show. */
async function complete(account: StripeAccount, kind: Kind, object: StripeObject): Promise<StripeObject> {
  const expand = expansionsLeft(kind, object)
  return expand.length === 0
    ? object
    : await account.retrieve(`${kind.path}/${object.id ?? ''}`, { expand: [...expand] })
}
