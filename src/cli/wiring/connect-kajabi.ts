import { setTimeout as sleep } from 'node:timers/promises'
import type { JsonObject } from '../../core/json.ts'
import { present } from '../../core/assert.ts'
import type { SecretRef } from '../../catalog/types.ts'
import type { KajabiSite } from '../../engine/kajabi-port.ts'
import { resolveSecret } from '../../files/secrets.ts'
import type { KajabiHttp } from '../../kajabi/http.ts'
import { kajabiSite } from '../../kajabi/site.ts'
import type { ProjectSandbox } from './project-sandbox.ts'
import type { Shell } from '../shell.ts'

const timeout = 20_000
const kajabiApi = 'https://api.kajabi.com'

/** The project's Kajabi site (`kajabi:` in project.yaml); undefined when it has none. */
export async function connectKajabi(
  config: JsonObject | undefined,
  sandbox: ProjectSandbox | undefined,
  shell: Shell,
  answered: NonNullable<KajabiHttp['answered']> = () => {},
): Promise<KajabiSite | undefined> {
  if (config === undefined) return undefined
  const clock = (): number => performance.now()
  if (config['sandbox'] === true) {
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
  const secret = async (name: 'client_id' | 'client_secret'): Promise<string> =>
    await resolveSecret(config[name] as unknown as SecretRef, `kajabi.${name}`, {
      folder: shell.project,
      env: shell.surroundings.env,
    })
  const { site, api_base: base, requests_per_second: rate } = config
  return kajabiSite({
    answered,
    base: new URL(typeof base === 'string' ? base : kajabiApi),
    fetch: globalThis.fetch,
    pause: async (seconds) => sleep(seconds * 1_000),
    spacing: 1_000 / (typeof rate === 'number' ? rate : 1),
    timeout,
    clock,
    site: String(site as string),
    credentials: { clientId: await secret('client_id'), clientSecret: await secret('client_secret') },
  })
}
