import { isBug } from '../../core/assert.ts'
import type { Alert } from './context.ts'

/**
 * Alerts of an error that is a bug of this program. The service continues, but a bug does not pass
 * by itself, so a person must know of it. Other errors are left to the calling code.
 */
export function reportBug(context: { alert(alert: Alert): void }, error: unknown, where: string): void {
  if (!isBug(error)) return
  context.alert({
    key: `bug ${where}`,
    severity: 'critical',
    summary: `a bug of Crossbill in ${where}: ${error.message}`,
    fix: 'report it with the log of the service',
  })
}
