import { splitAddress } from '../../core/address.ts'
import { present } from '../../core/assert.ts'
import { isJsonObject, type JsonObject, objectIn, type StripeObject } from '../../core/json.ts'
import { type Outcome, success } from '../../core/outcome.ts'
import { type Catalog, targetAccount } from '../../catalog/types.ts'
import { markAddress, markProject } from '../../live/marks.ts'
import type { Kind, KindName } from '../../kinds/kind.ts'
import { kindNamed, kinds } from '../../kinds/registry.ts'
import type { Context } from '../context.ts'
import type { ObjectRecord, StripeAccount } from '../ports.ts'
import { listAll, readKind } from './lists.ts'

/**
 * The catalog objects of an account, kind by kind, with what the kind compares expanded: of every
 * kind, or of the given ones.
 */
export async function readResources(
  account: StripeAccount,
  wanted: readonly Kind[] = kinds,
): Promise<Map<KindName, readonly StripeObject[]>> {
  const lists = new Map(
    await Promise.all(wanted.map(async (kind) => [kind.name, await readKind(account, kind)] as const)),
  )
  for (const { name, path, parts } of wanted) {
    // Without objects that a part could name there are no parts, so most accounts need no request
    // for each object.
    if (parts === undefined || (lists.get(parts.name) ?? []).length === 0) continue
    const whole = (lists.get(name) ?? []).map(async (one) => ({
      ...one,
      [parts.field]: await listAll(account, `${path}/${one.id ?? ''}${parts.suffix}`, {}),
    }))
    lists.set(name, await Promise.all(whole))
  }
  return lists
}

/**
 * The kinds that a plan reads: those that are always read, and those of which the catalog or the
 * store names an object.
 */
export function kindsToRead(catalog: Catalog, known: readonly Pick<ObjectRecord, 'address'>[]): readonly Kind[] {
  const named = new Set(
    [
      ...catalog.resources.map(({ address }) => address),
      ...(catalog.leftOut?.entries ?? []).map(({ address }) => address),
      ...catalog.removed.keys(),
      ...catalog.moved.keys(),
      ...known.map(({ address }) => address),
    ].map((address) => splitAddress(address).kind),
  )
  // What entries refer to by id or lookup key is looked up there.
  for (const { kind, value } of catalog.resources)
    for (const use of kindNamed(kind)?.uses(value) ?? []) named.add(use.kind)
  const mapped: Readonly<Record<string, unknown>> = { ...catalog.mappings.get(targetAccount) }
  return kinds.filter(
    ({ name, section, readWhen }) => readWhen !== 'named' || named.has(name) || mapped[section] !== undefined,
  )
}

/**
 * Finds the object that a creation at this address made, if any: by Crossbill's marks, or by the
 * kind's natural key when it can carry no mark. `except` is the object that stood for the address
 * before.
 */
export async function findCreated(
  context: Pick<Context, 'accounts' | 'catalog'>,
  address: string,
  except: string | undefined,
): Promise<Outcome<StripeObject | undefined>> {
  const { kind: name, key } = splitAddress(address)
  const kind = present(kindNamed(name), `kind ${name}`)
  const project = context.catalog.project.name
  const value = context.catalog.resources.find((one) => one.address === address)?.value ?? {}
  const natural = kind.naturalKey?.desired(key, value)
  const is = (one: StripeObject): boolean => {
    if (!kind.marks) return natural !== undefined && kind.naturalKey?.live(one) === natural
    const marks = objectIn(one['metadata'])
    return marks[markAddress] === address && marks[markProject] === project && !kind.retired(one)
  }
  const live = await readKind(context.accounts.target, kind)
  return success(live.find((one) => one.id !== except && is(one)))
}

/**
 * Finds the object below another one that a request created, if any: the one that names the same
 * object.
 */
export async function findPart(
  account: StripeAccount,
  { path, params }: { readonly path: string; readonly params: JsonObject },
): Promise<Outcome<StripeObject | undefined>> {
  const named = (one: StripeObject): boolean =>
    Object.entries(params).every(([name, value]) => {
      const there = one[name]
      return (isJsonObject(there) ? there['id'] : there) === value
    })
  return success((await listAll(account, path, {})).find(named))
}
