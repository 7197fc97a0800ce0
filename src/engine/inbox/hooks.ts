import type { KnownAccess } from '../../catalog/access-read.ts'
import { hookChanges } from './hook-changes.ts'
import { success, type Outcome } from '../../core/outcome.ts'
import type { KajabiSite } from '../kajabi-port.ts'

export interface HookAddress {
  /** `https://cancel.school.example`, without a slash at its end. */
  readonly publicUrl: string
  /** Hook secrets, the current one first. */
  readonly secrets: readonly string[]
}

export interface HooksEnsured {
  readonly created: number
  readonly kept: number
  readonly removed: number
}

/**
 * Creates the missing hooks of Kajabi and removes the outdated ones. It creates first, so that a
 * tag set in between reaches at least one address. Kajabi cannot change a hook, and drops one
 * silently when its address answers badly; a second run only creates what is missing.
 */
export async function ensureHooks(
  kajabi: KajabiSite,
  access: Partial<KnownAccess>,
  { publicUrl, secrets }: HookAddress,
): Promise<Outcome<HooksEnsured>> {
  const existing = await kajabi.hooks()
  if (!existing.ok) return existing
  const { create, keep, remove } = hookChanges(publicUrl, secrets, access, existing.value)
  for (const hook of create) {
    const made = await kajabi.createHook(hook)
    if (!made.ok) return made
  }
  for (const { id } of remove) {
    const gone = await kajabi.deleteHook(id)
    if (!gone.ok && gone.failure.code !== 'not_found') return gone
  }
  return success({ created: create.length, kept: keep.length, removed: remove.length })
}
