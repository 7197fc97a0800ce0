// Restricted keys: read, write or no permission for each resource.
// https://docs.stripe.com/keys#limit-access
import type { Account } from './account.ts'
import type { Route } from './module.ts'
import { keys, mustHave, type KeyRow } from './permissions.ts'
import type { World } from './world.ts'

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
  mustHave(account, key, { resource: route.permission, needed: route.method === 'GET' ? 'read' : 'write' })
}
