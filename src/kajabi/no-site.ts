import { failed, type Outcome } from '../core/outcome.ts'
import type { KajabiSite } from '../engine/kajabi-port.ts'

/**
 * For projects that give all access by offer URLs: whatever else is asked of Kajabi is answered
 * with what is missing.
 */
export function noSite(): KajabiSite {
  const refuse = (): Promise<Outcome<never>> =>
    Promise.resolve(
      failed({
        kind: 'rejected',
        code: 'no_api',
        message: 'the project names no Kajabi site (kajabi: in project.yaml)',
        status: 0,
      }),
    )
  // Whoever awaits it must not take it for a promise.
  return new Proxy({} as KajabiSite, { get: (_, name) => (name === 'then' ? undefined : refuse) })
}
