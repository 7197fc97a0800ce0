import type { ServeConfig } from '../../catalog/service-schema.ts'
import { CommandError } from '../../core/outcome.ts'
import type { HookAddress } from '../../engine/inbox/hooks.ts'
import { resolveSecret } from '../../files/secrets.ts'
import type { Shell } from '../shell.ts'

/**
 * The secrets of one list below `serve:` (`hook_secrets`, `link_secrets`), the current one first;
 * empty when the list is not configured.
 */
export async function serviceSecrets(
  serve: ServeConfig | undefined,
  name: 'hook_secrets' | 'relay_secrets' | 'link_secrets',
  shell: Shell,
): Promise<string[]> {
  const refs = serve?.[name] ?? []
  const surroundings = { folder: shell.project, env: shell.surroundings.env }
  return await Promise.all(refs.map(async (ref, index) => resolveSecret(ref, `serve.${name}[${index}]`, surroundings)))
}

/** The public address of the service, without a slash at the end. */
export function publicUrl(serve: ServeConfig | undefined): string {
  const url = serve?.public_url
  if (url !== undefined) return url.replace(/\/+$/, '')
  throw new CommandError('no_public_url', 'the project has no public address of the cancel service', {
    notDone: 'no link or hook was made',
    fix: 'Set it in catalog/project.yaml: serve: { public_url: https://… }',
  })
}

/** The address for the site's hooks; undefined when the project lacks a URL or a hook secret. */
export async function hookAddress(serve: ServeConfig | undefined, shell: Shell): Promise<HookAddress | undefined> {
  const secrets = await serviceSecrets(serve, 'hook_secrets', shell)
  return serve?.public_url !== undefined && secrets.length > 0 ? { publicUrl: publicUrl(serve), secrets } : undefined
}
