// Restricted keys: read, write or no permission for each resource.
// https://docs.stripe.com/keys#limit-access
import type { Account } from './account.ts'
import { StripeError } from './errors.ts'
import type { Route } from './module.ts'
import type { Row, TableDefinition } from './tables.ts'
import type { World } from './world.ts'

type Permission = 'read' | 'write'

interface KeyRow extends Row {
  /** By resource (`subscriptions`); a missing resource is forbidden. */
  readonly permissions: Readonly<Record<string, Permission>>
}

const keys: TableDefinition<KeyRow> = { name: 'restricted_keys' }

/** Creates a restricted key of an account. */
export function restrictedKey(world: World, account: Account, permissions: KeyRow['permissions']): string {
  const id = `rk_${world.livemode ? 'live' : 'test'}_sandbox_${account.name}_${account.newId('rk').slice(3, 11)}`
  account.table(keys).put({ id, created: world.now, permissions })
  return id
}

export function accountOf(world: World, key: string): Account | undefined {
  const accounts = [...world.accounts.values()]
  return (
    accounts.find((account) => account.key === key || account.longKey === key) ??
    accounts.find((account) => account.table(keys).has(key))
  )
}

/** Throws 403 when a restricted key may not use a route. */
export function checkPermission(account: Account, key: string, route: Route): void {
  const needed: Permission = route.method === 'GET' ? 'read' : 'write'
  const has = account.table(keys).get(key)?.permissions[route.permission]
  if (has === 'write' || has === needed) return
  const name = `rak_${route.permission.replace(/s$/, '')}_${needed}`
  throw new StripeError(403, {
    type: 'invalid_request_error',
    message: `The provided key '${key.slice(0, 8)}${'*'.repeat(12)}${key.slice(-4)}' does not have the required permissions for this endpoint on account '${account.accountId}'. Having the '${name}' permission would allow this request to continue.`,
  })
}
