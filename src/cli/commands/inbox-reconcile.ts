import { exitCodes } from '../exit-codes.ts'
import { formatInstant } from '../../core/instant.ts'
import { CommandError, type Outcome } from '../../core/outcome.ts'
import type { Alert } from '../../engine/inbox/context.ts'
import { reconcile } from '../../engine/inbox/reconcile.ts'
import { serveLease } from '../../engine/lease.ts'
import { command } from '../command.ts'
import { inboxContext } from '../wiring/inbox-context.ts'
import { withProjectDespite } from '../wiring/project.ts'
import { reconcileText } from '../render/reconcile-text.ts'
import { hookAddress } from '../wiring/service-secrets.ts'

/** Alerts that repeat what the result says. */
const printed = new Set(['reconciliation', 'reconciliation_taken', 'hook_missing'])

export const main = command({
  positionals: {},
  options: {},
  examples: [
    [
      'inbox reconcile',
      'compare offers with live subscriptions, both ways, and check holds and hooks; exit 0 no difference, 2 differences, 1 error',
    ],
  ],
  formats: ['text', 'json'],
  async run(_flags, shell) {
    return await withProjectDespite(shell, { leniency: 'accounts' }, async (project) => {
      const { catalog, progress } = project.context
      const alert = ({ key, summary, resolved }: Alert): void => {
        if (resolved !== true && !printed.has(key)) shell.say(summary)
      }
      const inbox = await inboxContext(project, { alert, log: () => {} }, shell)
      const hooks = await hookAddress(catalog.project.serve, shell)
      const found = answered(await reconcile({ ...inbox, catalog, progress, hooks }))
      const { at, compared, taken, hooksCreated, unheld, toGrant } = found
      const serving = (await project.store.leaseHolder(serveLease)) !== undefined
      const differences = toGrant.length + taken + hooksCreated + unheld.length
      if (shell.format === 'json')
        shell.json({
          at: formatInstant(at),
          differences,
          compared,
          mended: { offers_taken: taken, hooks_created: hooksCreated },
          left_to_service: { holds: unheld, serving },
          left_to_apply: { offers_missing: toGrant },
        })
      else shell.out(reconcileText(found, serving))
      return differences === 0 ? exitCodes.fine : exitCodes.found
    })
  },
})

function answered<T>(outcome: Outcome<T>): T {
  if (outcome.ok) return outcome.value
  const { code, message } = outcome.failure
  throw new CommandError('reconciliation_failed', `the reconciliation failed: ${message} (${code})`, {
    notDone: 'not everything was compared; what was repaired before the failure stays repaired',
    fix: 'Find what fails with "crossbill doctor", then run the command again.',
  })
}
