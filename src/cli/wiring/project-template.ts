/** What `init` asks for: one line of project.yaml each. */
export interface NewProject {
  readonly name: string
  /** By the project's name for the account; `target` is one of them. */
  readonly accounts: Readonly<Record<string, NewAccount>>
  readonly sandbox?: { readonly subscribers: number; readonly seed: number; readonly clock: string }
}

export type NewAccount =
  | { readonly sandbox: true }
  | { readonly account: string; readonly livemode: boolean; readonly env: string }

/** The text of catalog/project.yaml for a new project, with the comments a newcomer needs. */
export function projectYaml({ name, accounts, sandbox }: NewProject): string {
  return [
    '# What this project is, and the Stripe accounts it works on. Keys are named here, never written.',
    `project: ${name}`,
    '',
    'accounts:',
    '  # `target` is where everything goes; every other account is an old one.',
    ...Object.entries(accounts).map(([account, config]) => `  ${account}: ${accountYaml(config)}`),
    ...(sandbox === undefined ? [] : sandboxYaml(sandbox)),
    '',
    '# State, journal and copy map of this project; not for version control.',
    'store: { file: state/crossbill.db }',
    '',
  ].join('\n')
}

function accountYaml(account: NewAccount): string {
  if ('sandbox' in account) return '{ sandbox: true }'
  return `{ key: { env: ${account.env} }, account: ${account.account}, livemode: ${account.livemode} }`
}

function sandboxYaml({ subscribers, seed, clock }: NonNullable<NewProject['sandbox']>): string[] {
  return [
    '',
    '# The simulated world behind the accounts with `sandbox: true`: the same seed gives the same people.',
    'sandbox:',
    '  population: school',
    `  subscribers: ${subscribers}`,
    `  seed: ${seed}`,
    `  clock: ${clock}`,
  ]
}
