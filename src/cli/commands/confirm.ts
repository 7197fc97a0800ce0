import { exitCodes } from '../exit-codes.ts'
import { formatInstant, instant } from '../../core/instant.ts'
import type { Confirmed } from '../../assumptions/record.ts'
import { standingOf } from '../../assumptions/standing.ts'
import { cases } from '../../confirm/cases.ts'
import { confirmedPath, refuseTakenConfirmed, writeConfirmed } from '../../files/confirmed.ts'
import { command } from '../command.ts'
import { confirmText } from '../render/confirm-text.ts'
import { plural } from '../render/words.ts'
import { loadProject } from '../wiring/catalog.ts'
import { tool } from '../version.ts'

/** Test mode allows 25 requests a second; a case waits mostly for its clock. */
const abreast = 6

export const main = command({
  positionals: {},
  options: {
    url: {
      type: 'string',
      requiresArg: true,
      describe: 'ask a server on this machine instead of Stripe: http://127.0.0.1:PORT, for example crossbill sandbox',
    },
    out: {
      type: 'string',
      requiresArg: true,
      describe: `file of the answers; default: ${confirmedPath} in the project, where doctor, plan and report read it`,
    },
  },
  examples: [
    [
      'confirm',
      'ask the test account of CROSSBILL_STRIPE_TEST_KEY whether Stripe behaves as assumed; about fifteen minutes',
    ],
    ['confirm --format json', 'print every answer, and what it means for the subscribers of this project'],
    ['confirm --url http://127.0.0.1:4242', 'ask crossbill sandbox, to see what the command does'],
  ],
  formats: ['text', 'json'],
  async run({ url, out }, shell) {
    const path = shell.pathOr(out, confirmedPath)
    await refuseTakenConfirmed(path)
    const { catalog } = await loadProject(shell, 'entries')
    const { connectTestAccount } = await import('../wiring/test-account.ts')
    const { askAccount } = await import('../../confirm/ask.ts')
    const { id, apiVersion, stripe, created } = await connectTestAccount(shell, url)
    shell.say(
      `Asking ${id}: ${plural(cases.length, 'case')}. Everything that they create there is removed or archived at the end.`,
    )
    shell.progress.start('cases', cases.length)
    const { answers, left, stopped } = await askAccount({
      stripe,
      cases,
      created,
      abreast,
      told: () => shell.progress.step(),
      stopped: () => shell.stop.requested,
    })
    shell.progress.done()
    const record: Confirmed = {
      format: 1,
      tool,
      at: formatInstant(instant(Math.floor(Date.now() / 1_000))),
      account: id,
      api_version: apiVersion,
      answers,
    }
    const standing = standingOf({ record }, catalog)
    if (!stopped) await writeConfirmed(path, record)
    const ok = answers.every(({ verdict }) => verdict === 'as_assumed' || verdict === 'not_asked')
    if (shell.format === 'json') {
      const consequences = standing.filter(({ consequence }) => consequence !== undefined)
      shell.json({
        ...record,
        ok: ok && !stopped,
        left,
        ...(stopped ? {} : { written: shell.near(path) }),
        consequences,
      })
    } else shell.out(confirmText(record, standing, { left, paint: shell.paint }))
    if (stopped) {
      shell.say(`Stopped after ${plural(answers.length, 'case')}; nothing was written. Run the command again.`)
      return exitCodes.interrupted
    }
    shell.say(`Written to ${shell.near(path)}: commit it, so that doctor, plan and report read it everywhere.`)
    if (answers.some(({ verdict }) => verdict === 'failed') || left.length > 0) return exitCodes.error
    return ok ? exitCodes.fine : exitCodes.found
  },
})
