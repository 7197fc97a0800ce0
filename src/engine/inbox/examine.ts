import { addAll } from '../../core/lists.ts'
import type { Access } from '../../catalog/schemas/access.ts'
import type { DoctorFinding } from '../finding.ts'
import type { KajabiSite } from '../kajabi-port.ts'
import { hookChanges } from './hook-changes.ts'
import type { HookAddress } from './hooks.ts'

/**
 * Doctor's check of the Kajabi site: whether its key works, and whether everything that access.yaml
 * names exists. Read-only. `hooks` is where the site's hooks should point; undefined when the
 * project does not set it.
 */
export async function examineKajabi(
  kajabi: KajabiSite,
  access: Partial<Access>,
  hooks: HookAddress | undefined,
): Promise<readonly DoctorFinding[]> {
  const [offers, tags, existing] = await Promise.all([kajabi.offers(), kajabi.tags(), kajabi.hooks()])
  if (!offers.ok)
    return [
      failed(
        'kajabi',
        `offers cannot be read: ${offers.failure.message} (${offers.failure.code})`,
        'check kajabi: in catalog/project.yaml, and the key’s permissions in Kajabi (Settings, Public API)',
      ),
    ]
  const findings: DoctorFinding[] = []
  const known = new Set(offers.value.map(({ id }) => id))
  for (const [key, { kajabi: id }] of Object.entries(access.offers ?? {}))
    if (!known.has(id))
      findings.push(
        failed(
          'kajabi_offer',
          `offer ${key} (${id}) is not among the site’s ${known.size} offers, or is archived`,
          'correct its id in catalog/access.yaml',
        ),
      )
  const wanted = Object.entries(access.offers ?? {}).flatMap(([key, { cancel_tags: ids = [] }]) =>
    ids.map((id) => ({ key, id })),
  )
  if (!tags.ok)
    findings.push(
      warning(
        'kajabi_tag',
        `tags cannot be read: ${tags.failure.message}`,
        'give the key the permission view:contacts',
      ),
    )
  else {
    const there = new Set(tags.value.values())
    for (const { key, id } of wanted)
      if (!there.has(id))
        findings.push(
          failed(
            'kajabi_tag',
            `cancel tag ${id} of offer ${key} is not a tag of the site`,
            'create the tag in Kajabi, and put its id into catalog/access.yaml',
          ),
        )
  }
  addAll(findings, hookFindings(access, hooks, existing))
  const ok: DoctorFinding = {
    check: 'kajabi',
    status: 'ok',
    message: `the site answers; ${known.size} offers`,
    fix: '',
  }
  return [ok, ...findings]
}

function hookFindings(
  access: Partial<Access>,
  hooks: HookAddress | undefined,
  existing: Awaited<ReturnType<KajabiSite['hooks']>>,
): DoctorFinding[] {
  if (hooks === undefined) return []
  // Some Kajabi plans sell keys without the permission for webhooks. The poller still finds tags.
  if (!existing.ok)
    return [
      warning(
        'kajabi_hooks',
        `hooks cannot be read (${existing.failure.code}): polling still finds cancels, within a minute`,
        'give the key the permission for webhooks',
      ),
    ]
  const missing = hookChanges(hooks.publicUrl, hooks.secrets, access, existing.value).create.length
  if (missing === 0) return []
  return [
    warning(
      'kajabi_hooks',
      `${missing} hook(s) are missing: polling still finds those cancels, within a minute`,
      'crossbill kajabi hooks ensure',
    ),
  ]
}

function failed(check: string, message: string, fix: string): DoctorFinding {
  return { check, status: 'failed', message, fix }
}

function warning(check: string, message: string, fix: string): DoctorFinding {
  return { check, status: 'warning', message, fix }
}
