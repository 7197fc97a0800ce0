import { setTimeout as sleep } from 'node:timers/promises'
import { present } from '../../core/assert.ts'
import type { SecretRef } from '../../catalog/secret-schema.ts'
import type { KajabiConfig } from '../../catalog/service-schema.ts'
import type { KajabiSite } from '../../engine/kajabi-port.ts'
import { resolveSecret } from '../../files/secrets.ts'
import type { KajabiHttp } from '../../kajabi/http.ts'
import { kajabiSite } from '../../kajabi/site.ts'
import type { ProjectSandbox } from './project-sandbox.ts'
import type { Shell } from '../shell.ts'

const timeout = 20_000
/**
 * Kajabi documents no limit. Public clients send a hundred requests a minute without a refusal.
 */
const learnt = { spacing: 1_000, fastest: 600 }
const kajabiApi = 'https://api.kajabi.com'

/** The project's Kajabi site (`kajabi:` in project.yaml); undefined when it has none. */
export async function connectKajabi(
  config: KajabiConfig | undefined,
  sandbox: ProjectSandbox | undefined,
  shell: Shell,
  answered: NonNullable<KajabiHttp['answered']> = () => {},
): Promise<KajabiSite | undefined> {
  if (config === undefined) return undefined
  const clock = (): number => performance.now()
  if (config.sandbox === true) {
    const { fetch, ready } = present(sandbox, 'sandbox of the Kajabi site')
    const { site, client_id: clientId, client_secret: clientSecret, api_base: path } = ready.kajabi
    const base = new URL(path, 'http://sandbox.invalid')
    return kajabiSite({
      answered,
      base,
      fetch,
      spacing: 0,
      timeout,
      clock,
      site,
      credentials: { clientId, clientSecret },
    })
  }
  const secret = async (ref: SecretRef, name: string): Promise<string> =>
    await resolveSecret(ref, `kajabi.${name}`, { folder: shell.project, env: shell.surroundings.env })
  const { site, client_id: id, client_secret: key, api_base: base = kajabiApi, requests_per_second: rate } = config
  return kajabiSite({
    answered,
    base: new URL(base),
    fetch: globalThis.fetch,
    pause: async (seconds) => sleep(seconds * 1_000),
    // A rate that the project sets is never exceeded; without one, the answers decide.
    ...(rate === undefined ? learnt : { spacing: 1_000 / rate }),
    timeout,
    clock,
    site,
    credentials: { clientId: await secret(id, 'client_id'), clientSecret: await secret(key, 'client_secret') },
  })
}
