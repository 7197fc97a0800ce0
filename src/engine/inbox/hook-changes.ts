import type { KnownAccess } from '../../catalog/access-read.ts'
import type { KajabiHook } from '../kajabi-port.ts'

type Hook = Omit<KajabiHook, 'id'>

export interface HookChanges {
  readonly create: readonly Hook[]
  readonly keep: readonly KajabiHook[]
  readonly remove: readonly KajabiHook[]
}

/**
 * Decides which hooks the site should have: one for every cancel tag and every form of access.yaml,
 * at the address with the current secret. Hooks at the address of a previous secret stay while that
 * secret is listed, so that events in flight still arrive. Other hooks of this service are removed;
 * hooks of other programs are not touched.
 */
export function hookChanges(
  base: string,
  secrets: readonly string[],
  { offers = {}, forms = {}, incomplete }: Partial<KnownAccess>,
  existing: readonly KajabiHook[],
): HookChanges {
  const folder = `${base}/kajabi/hooks/`
  const subjects: Pick<Hook, 'event' | 'resource'>[] = [
    ...Object.values(offers).flatMap(({ cancel_tags: tags = [] }) =>
      tags.map((resource) => ({ event: 'tag_added' as const, resource })),
    ),
    ...Object.keys(forms).map((resource) => ({ event: 'form_submission' as const, resource })),
  ]
  const wanted = secrets.flatMap((secret) =>
    subjects.map((subject): Hook => ({ ...subject, url: `${folder}${secret}` })),
  )
  const [current = ''] = secrets
  const registered = existing.filter((hook) => hook.url.startsWith(folder))
  const has = (hooks: readonly Hook[], one: Hook): boolean => hooks.some((other) => nameOf(other) === nameOf(one))
  const known = new Set<string>()
  const [keep, remove] = [[] as KajabiHook[], [] as KajabiHook[]]
  for (const hook of registered) {
    const again = known.has(nameOf(hook))
    known.add(nameOf(hook))
    ;(has(wanted, hook) && !again ? keep : remove).push(hook)
  }
  const create = wanted.filter((hook) => hook.url === `${folder}${current}` && !has(keep, hook))
  // A tag that cannot be read in access.yaml may still need its hook.
  return incomplete === true ? { create, keep: registered, remove: [] } : { create, keep, remove }
}

function nameOf({ url, event, resource = '' }: Hook): string {
  return `${event} ${resource} ${url}`
}
