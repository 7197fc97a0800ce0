import type { CommandEntry } from './command.ts'

/**
 * Every command, in the order of --help. A module loads when its command is called, so that
 * `--help` stays fast.
 */
export const commandTable: readonly CommandEntry[] = [
  { usage: 'init', about: 'start a catalog, by questions or by flags', load: () => import('./commands/init.ts') },
  { usage: 'validate', about: 'check the catalog offline', load: () => import('./commands/validate.ts') },
  {
    usage: 'schema [file]',
    about: 'print the JSON Schema of the YAML, for editors',
    load: () => import('./commands/schema.ts'),
  },
  {
    usage: 'doctor',
    about: 'check keys, clock, store, and open portals, links and webhooks of the old accounts; read-only',
    load: () => import('./commands/doctor.ts'),
  },
  {
    usage: 'pull',
    about: 'read the accounts and write the catalog and its subscribers',
    load: () => import('./commands/pull.ts'),
  },
  {
    usage: 'copy-map',
    about: 'map old payment methods to their copies',
    family: [
      {
        usage: 'import <files..>',
        about: "read Stripe's copy CSV into the store",
        load: () => import('./commands/copy-map-import.ts'),
      },
      {
        usage: 'check',
        about: 'list the subscribers that were not copied, and why',
        load: () => import('./commands/copy-map-check.ts'),
      },
    ],
  },
  {
    usage: 'cards',
    about: 'check the payment methods in the target',
    family: [
      {
        usage: 'check',
        about: 'list the members whose next renewal in the target will probably fail, and why; read-only',
        load: () => import('./commands/cards-check.ts'),
      },
    ],
  },
  {
    usage: 'waves',
    about: 'propose waves by a rule: a pilot, sizes, dates, risk; --write rewrites the subscriber files',
    load: () => import('./commands/waves.ts'),
  },
  {
    usage: 'plan',
    about: 'show what would change, for whom, and for how much money; read-only',
    load: () => import('./commands/plan.ts'),
  },
  { usage: 'show <file>', about: 'print a saved plan', load: () => import('./commands/show.ts') },
  {
    usage: 'apply [file]',
    about: 'send exactly the requests of a plan, then read again and prove the result',
    load: () => import('./commands/apply.ts'),
  },
  {
    usage: 'verify',
    about: 'check that exactly one account bills each subscriber, as declared',
    load: () => import('./commands/verify.ts'),
  },
  {
    usage: 'explain [who]',
    about: 'show one person: accounts, YAML, the rule that decided, what happens next; read-only',
    load: () => import('./commands/explain.ts'),
  },
  { usage: 'drift', about: 'show what was changed outside Crossbill', load: () => import('./commands/drift.ts') },
  {
    usage: 'rehearse',
    about: 'play the whole migration on your own data, months ahead, in two simulated worlds',
    load: () => import('./commands/rehearse.ts'),
  },
  {
    usage: 'confirm',
    about: 'ask a test account of yours whether Stripe behaves as assumed',
    load: () => import('./commands/confirm.ts'),
  },
  {
    usage: 'report',
    about: 'write the evidence packet: a cover, and the documents of the migration from the live state',
    load: () => import('./commands/report.ts'),
  },
  {
    usage: 'ci',
    about: 'the pull-request flow: jobs of GitHub Actions and GitLab CI',
    family: [
      {
        usage: 'plan',
        about: 'plan a pull request, and keep one note in it up to date',
        load: () => import('./commands/ci-plan.ts'),
      },
      {
        usage: 'apply',
        about: 'after a merge, apply the plan that was reviewed',
        load: () => import('./commands/ci-apply.ts'),
      },
      {
        usage: 'night',
        about: 'run verify and drift, and keep one issue open while they find something',
        load: () => import('./commands/ci-night.ts'),
      },
    ],
  },
  {
    usage: 'state',
    about: 'show, rebuild, export, back up, restore or unlock the store',
    family: [
      { usage: 'show', about: 'show what the store holds', load: () => import('./commands/state-show.ts') },
      {
        usage: 'rebuild',
        about: 'restore the store from the marks on live objects',
        load: () => import('./commands/state-rebuild.ts'),
      },
      {
        usage: 'export',
        about: 'print the old and new id of every object',
        load: () => import('./commands/state-export.ts'),
      },
      {
        usage: 'backup <file>',
        about: 'copy the store to a file while it is in use',
        load: () => import('./commands/state-backup.ts'),
      },
      {
        usage: 'restore <file>',
        about: 'fill an empty store from a backup',
        load: () => import('./commands/state-restore.ts'),
      },
      {
        usage: 'unlock [lease]',
        about: 'drop the lease of a run that has ended',
        load: () => import('./commands/state-unlock.ts'),
      },
    ],
  },
  {
    usage: 'serve',
    about: 'run the cancel service: hooks, links, worker, poller, reconciliation',
    load: () => import('./commands/serve.ts'),
  },
  {
    usage: 'cancel <who>',
    about: 'cancel one subscriber by hand, exactly as the service does',
    load: () => import('./commands/cancel.ts'),
  },
  {
    usage: 'cancel-link <who>',
    about: "make a signed, expiring link to a member's own cancel page",
    load: () => import('./commands/cancel-link.ts'),
  },
  {
    usage: 'card-link [who]',
    about: 'make signed, expiring links to the page on which members enter a card again',
    load: () => import('./commands/card-link.ts'),
  },
  {
    usage: 'webhooks',
    about: 'webhook endpoints of the target',
    family: [
      {
        usage: 'rotate <key>',
        about: 'replace the signing secret of a declared webhook endpoint, with an overlap',
        load: () => import('./commands/webhooks-rotate.ts'),
      },
    ],
  },
  {
    usage: 'inbox',
    about: 'inspect the signals of the cancel service: history and dead letters',
    family: [
      { usage: 'list', about: 'list the newest entries', load: () => import('./commands/inbox-list.ts') },
      { usage: 'show <id>', about: 'show one entry with its history', load: () => import('./commands/inbox-show.ts') },
      { usage: 'redrive [id]', about: 'try a dead letter again', load: () => import('./commands/inbox-redrive.ts') },
      {
        usage: 'discard <id>',
        about: 'close an entry without cancelling',
        load: () => import('./commands/inbox-discard.ts'),
      },
      {
        usage: 'reconcile',
        about: 'run the daily reconciliation now',
        load: () => import('./commands/inbox-reconcile.ts'),
      },
      {
        usage: 'resume',
        about: 'close the breaker: let the service cancel again',
        load: () => import('./commands/inbox-resume.ts'),
      },
    ],
  },
  {
    usage: 'kajabi',
    about: 'manage the hooks of the course platform',
    family: [
      {
        usage: 'hooks',
        about: 'hooks that report cancels to the service',
        family: [
          {
            usage: 'ensure',
            about: 'create missing hooks and remove outdated ones',
            load: () => import('./commands/kajabi-hooks-ensure.ts'),
          },
        ],
      },
    ],
  },
  {
    usage: 'sandbox [action]',
    about: 'run an embedded Stripe and Kajabi as a server on this machine; sandbox reset begins again',
    load: () => import('./commands/sandbox.ts'),
  },
  {
    usage: 'demo',
    about: 'show a whole migration in a temporary project, in about a minute',
    load: () => import('./commands/demo.ts'),
  },
  {
    usage: 'completion <shell>',
    about: 'print the script with which a shell completes commands and flags',
    load: () => import('./commands/completion.ts'),
  },
]
