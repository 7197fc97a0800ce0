import type { Access } from '../../access/schema.ts'
import { failed, success, type Outcome } from '../../core/outcome.ts'
import type { KajabiHook, KajabiSite } from '../kajabi-port.ts'

export interface HookAddress {
  /** `https://cancel.school.example` */
  readonly publicUrl: string
  /** The current hook secret. */
  readonly secret: string
}

export interface HooksEnsured {
  readonly kept: number
  readonly created: number
  /** With an earlier secret, or for a tag that means nothing any more. */
  readonly deleted: number
}

/** What has to reach us: each cancel tag as it is added, each form as it is sent. */
export function wantedHooks(access: Access, { publicUrl, secret }: HookAddress): Omit<KajabiHook, 'id'>[] {
  const url = `${hookPrefix(publicUrl)}${secret}`
  const tags = Object.values(access.offers).flatMap((offer) => offer.cancel_tags ?? [])
  const forms = Object.keys(access.forms ?? {})
  return [
    ...tags.map((resource) => ({ url, event: 'tag_added' as const, resource })),
    ...forms.map((resource) => ({ url, event: 'form_submission' as const, resource })),
  ]
}

function hookPrefix(publicUrl: string): string {
  return `${publicUrl.replace(/\/+$/, '')}/kajabi/hooks/`
}

/**
 * Makes Kajabi's hooks as they should be: missing ones are created, and only then are those of an earlier secret deleted, so that no moment is without one. Hooks of
 * others are not touched. Kajabi cannot change a hook, and gives one up in silence when its address answers badly.
 */
export async function ensureHooks(
  kajabi: KajabiSite,
  access: Access,
  address: HookAddress,
): Promise<Outcome<HooksEnsured>> {
  const there = await kajabi.hooks()
  if (!there.ok) return there
  const ours = there.value.filter(({ url }) => url.startsWith(hookPrefix(address.publicUrl)))
  const wanted = wantedHooks(access, address)
  const missing = wanted.filter((one) => !ours.some((hook) => same(hook, one)))
  for (const one of missing) {
    const made = await kajabi.createHook(one)
    if (!made.ok) return made
  }
  const stale = ours.filter((hook, index) => {
    const first = ours.findIndex((other) => same(other, hook))
    return first < index || !wanted.some((one) => same(hook, one))
  })
  for (const hook of stale) {
    const gone = await kajabi.deleteHook(hook.id)
    if (!gone.ok && gone.failure.code !== 'not_found') return failed(gone.failure)
  }
  return success({ kept: ours.length - stale.length, created: missing.length, deleted: stale.length })
}

function same(a: Omit<KajabiHook, 'id'>, b: Omit<KajabiHook, 'id'>): boolean {
  return a.url === b.url && a.event === b.event && a.resource === b.resource
}
