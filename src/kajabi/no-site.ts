import { failed, type Outcome } from '../core/outcome.ts'
import type { KajabiSite } from '../engine/kajabi-port.ts'

/**
 * The site of a project that grants all access by offer URLs. Every call that needs Kajabi's API
 * fails and names the missing setting.
 */
export function noSite(): KajabiSite {
  const refuse = (): Promise<Outcome<never>> =>
    Promise.resolve(
      failed({
        kind: 'rejected',
        code: 'no_api',
        message: 'the project has no Kajabi site (kajabi: in catalog/project.yaml)',
        status: 0,
      }),
    )
  // Without this exception, `await` would take the proxy for a promise.
  return new Proxy({} as KajabiSite, { get: (_, name) => (name === 'then' ? undefined : refuse) })
}
