import type { CommandEntry } from './command.ts'

/**
 * Every command, in the order of --help. Modules load when their command is called: `--help` stays
 * quick.
 */
export const commandTable: readonly CommandEntry[] = [
  { usage: 'init', about: 'start a catalog: asks, or takes flags', load: () => import('./commands/init.ts') },
  { usage: 'validate', about: 'check the catalog, offline', load: () => import('./commands/validate.ts') },
  {
    usage: 'schema [file]',
    about: 'the JSON Schema of the YAML, for editors',
    load: () => import('./commands/schema.ts'),
  },
  {
    usage: 'doctor',
    about: 'check keys, clock, store and old doors; read-only',
    load: () => import('./commands/doctor.ts'),
  },
  {
    usage: 'pull',
    about: 'read the accounts, write the catalog and its subscribers',
    load: () => import('./commands/pull.ts'),
  },
  {
    usage: 'copy-map',
    about: 'the map from old to copied payment methods',
    family: [
      {
        usage: 'import <files..>',
        about: "read Stripe's copy CSV into the store",
        load: () => import('./commands/copy-map-import.ts'),
      },
      { usage: 'check', about: 'who was not copied, and why', load: () => import('./commands/copy-map-check.ts') },
    ],
  },
  {
    usage: 'plan',
    about: 'what would change, for whom, for how much money; read-only',
    load: () => import('./commands/plan.ts'),
  },
  { usage: 'show <file>', about: 'print a saved plan', load: () => import('./commands/show.ts') },
  {
    usage: 'apply [file]',
    about: 'do the plan and nothing else, then read again and prove it',
    load: () => import('./commands/apply.ts'),
  },
  {
    usage: 'verify',
    about: 'is everybody billed by exactly one account, as declared?',
    load: () => import('./commands/verify.ts'),
  },
  { usage: 'drift', about: 'what changed outside', load: () => import('./commands/drift.ts') },
  {
    usage: 'rehearse',
    about: 'the whole migration on your own data, months ahead, in two simulated worlds',
    load: () => import('./commands/rehearse.ts'),
  },
  {
    usage: 'report',
    about: 'the evidence packet: plan, mapping, checklist, checks, rollback',
    load: () => import('./commands/report.ts'),
  },
  {
    usage: 'ci',
    about: 'the pull-request flow: jobs of GitHub Actions and GitLab CI',
    family: [
      {
        usage: 'plan',
        about: 'plan a pull request, and update the one note in it',
        load: () => import('./commands/ci-plan.ts'),
      },
      {
        usage: 'apply',
        about: 'after a merge, apply the plan that was reviewed',
        load: () => import('./commands/ci-apply.ts'),
      },
      {
        usage: 'night',
        about: 'verify and drift, with one issue while there is something to see',
        load: () => import('./commands/ci-night.ts'),
      },
    ],
  },
  {
    usage: 'state',
    about: 'the store: show, rebuild, export, unlock',
    family: [
      { usage: 'show', about: 'what the store holds', load: () => import('./commands/state-show.ts') },
      {
        usage: 'rebuild',
        about: 'restore it from the marks on live objects',
        load: () => import('./commands/state-rebuild.ts'),
      },
      { usage: 'export', about: 'old and new ids of every object', load: () => import('./commands/state-export.ts') },
      {
        usage: 'unlock [lease]',
        about: 'drop the lease of a run that is gone',
        load: () => import('./commands/state-unlock.ts'),
      },
    ],
  },
  {
    usage: 'serve',
    about: 'the cancel service: hooks, links, worker, poller, reconciliation',
    load: () => import('./commands/serve.ts'),
  },
  {
    usage: 'cancel <who>',
    about: 'the manual fallback: the same way as the service',
    load: () => import('./commands/cancel.ts'),
  },
  {
    usage: 'cancel-link <who>',
    about: "a member's own cancel page, signed and expiring",
    load: () => import('./commands/cancel-link.ts'),
  },
  {
    usage: 'inbox',
    about: 'signals of the cancel service: history and dead letters',
    family: [
      { usage: 'list', about: 'the newest entries', load: () => import('./commands/inbox-list.ts') },
      { usage: 'show <id>', about: 'one entry with its history', load: () => import('./commands/inbox-show.ts') },
      { usage: 'redrive [id]', about: 'try a dead letter again', load: () => import('./commands/inbox-redrive.ts') },
      {
        usage: 'discard <id>',
        about: 'close an entry without cancelling',
        load: () => import('./commands/inbox-discard.ts'),
      },
      {
        usage: 'reconcile',
        about: 'the daily reconciliation, now',
        load: () => import('./commands/inbox-reconcile.ts'),
      },
      { usage: 'resume', about: 'close the breaker', load: () => import('./commands/inbox-resume.ts') },
    ],
  },
  {
    usage: 'kajabi',
    about: 'the course platform: its hooks',
    family: [
      {
        usage: 'hooks',
        about: 'hooks that tell the service of cancels',
        family: [
          {
            usage: 'ensure',
            about: 'make them as they should be',
            load: () => import('./commands/kajabi-hooks-ensure.ts'),
          },
        ],
      },
    ],
  },
  {
    usage: 'sandbox',
    about: 'an embedded Stripe and Kajabi as a server on this machine',
    load: () => import('./commands/sandbox.ts'),
  },
  {
    usage: 'demo',
    about: 'the whole story in a temporary project, in about a minute',
    load: () => import('./commands/demo.ts'),
  },
]
