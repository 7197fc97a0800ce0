/** The answers that `init` needs. */
export interface NewProject {
  readonly name: string
  /** By the project's name for each account, `target` included. */
  readonly accounts: Readonly<Record<string, NewAccount>>
  readonly sandbox?: { readonly subscribers: number; readonly seed: number; readonly clock: string }
}

export type NewAccount =
  | { readonly sandbox: true }
  | { readonly account: string; readonly livemode: boolean; readonly env: string }

/** The text of catalog/project.yaml for a new project, with comments for a first reader. */
export function projectYaml({ name, accounts, sandbox }: NewProject): string {
  return [
    '# yaml-language-server: $schema=../.schemas/project.schema.json',
    '# The project and its Stripe accounts. Name the keys here by reference; never write a key itself.',
    `project: ${name}`,
    '',
    'accounts:',
    '  # `target` is the new account; every other account is an old one.',
    ...Object.entries(accounts).map(([account, config]) => `  ${account}: ${accountYaml(config)}`),
    ...(sandbox === undefined ? [] : sandboxYaml(sandbox)),
    '',
    '# State, journal and copy map of this project. Do not put this file under version control.',
    'store: { file: state/crossbill.db }',
    ...stubs.flatMap((stub) => ['', ...stub.split('\n').map((line) => (line.startsWith('#') ? line : `# ${line}`))]),
    '',
  ].join('\n')
}

/**
 * Blocks that a project may need later, as comments. Without its `# `, each one is valid; values of
 * `policies` and `guards` are the defaults.
 */
const stubs: readonly string[] = [
  `# Choices where several behaviours are valid. These are the defaults, which are the cautious ones.
policies:
  tax: same                     # or recompute, with tax_accepted: [DE]
  customer_balance: stop        # or carry
  pending_invoice_items: stop   # or carry
  past_due: stop                # or leave, carry
  schedules: stop               # or carry
  collection_paused: stop       # or carry
  renewal_window_hours: 48
  settle_after_days: 14
  cancel: now                   # or period_end
  setup_failed: keep            # or undo
  plan_hours: 24`,
  `# Limits of one apply; a plan beyond one needs --allow with the name of the guard.
guards:
  people_moved: 500
  mrr_share: 100
  retire_share: 20`,
  `# Severity of the lints of validate: error, warning or off. docs/lints.md lists them.
lint:
  coupon-forever-free: error`,
  `# The course platform: paid prices give its offers, as catalog/access.yaml says.
kajabi:
  site: "123456"
  client_id: { env: KAJABI_CLIENT_ID }
  client_secret: { env: KAJABI_CLIENT_SECRET }`,
  `# The cancel service: crossbill serve.
serve:
  public_url: https://cancel.school.example
  hook_secrets: [{ env: CROSSBILL_HOOK_SECRET }]
  link_secrets: [{ env: CROSSBILL_LINK_SECRET }]
  stripe_webhook_secrets:
    target: { env: STRIPE_WEBHOOK_SECRET_TARGET }
  school: { name: Your school, contact: help@school.example }`,
]

function accountYaml(account: NewAccount): string {
  if ('sandbox' in account) return '{ sandbox: true }'
  return `{ key: { env: ${account.env} }, account: ${account.account}, livemode: ${account.livemode} }`
}

function sandboxYaml({ subscribers, seed, clock }: NonNullable<NewProject['sandbox']>): string[] {
  return [
    '',
    '# The simulated world of the accounts with `sandbox: true`. The same seed gives the same subscribers.',
    'sandbox:',
    '  population: school',
    `  subscribers: ${subscribers}`,
    `  seed: ${seed}`,
    `  clock: ${clock}`,
  ]
}
