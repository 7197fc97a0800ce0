import { explain } from '../../engine/explain/explain.ts'
import { command } from '../command.ts'
import { exitCodes } from '../exit-codes.ts'
import { explainText } from '../render/explain-text.ts'
import { UsageError } from '../usage-error.ts'
import { withProjectDespite } from '../wiring/project.ts'

export const main = command({
  positionals: {
    who: {
      type: 'string',
      describe: 'us/sub_…, target/sub_…, an old or new subscription id, or a customer id',
    },
  },
  options: {
    email: {
      type: 'string',
      requiresArg: true,
      describe: 'find the person by their e-mail address; it is neither stored nor printed',
    },
  },
  examples: [
    [
      'explain us/sub_1NqUs0042',
      'one person on one screen: the accounts, the YAML, the rule that decided, what happens next',
    ],
    ['explain target/sub_1NqNew7', 'the same, by the new subscription'],
    ['explain --email ana@example.com', 'the same, by the address that a support request names'],
    ['explain us/sub_1NqUs0042 --format json', 'print JSON, as docs/schema/explain.schema.json describes it'],
  ],
  formats: ['text', 'json'],
  pages: true,
  async run({ who, email }, shell) {
    const asked = email ?? who
    if (asked === undefined || (email !== undefined && who !== undefined))
      throw new UsageError(
        'nobody-named',
        asked === undefined
          ? 'explain needs a subscriber, a customer or --email'
          : 'explain takes a subscriber or --email, not both',
        'Example: crossbill explain us/sub_1NqUs0042',
      )
    const opening = { leniency: 'accounts', accessNeeded: false } as const
    return await withProjectDespite(shell, opening, async ({ context, store }) => {
      const explained = await explain(context, store.inbox, asked)
      if (shell.format === 'json') shell.json(explained)
      else shell.out(explainText(explained, shell.paint))
      return exitCodes.fine
    })
  },
})
