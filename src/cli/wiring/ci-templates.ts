import { planArtifact, planPath } from '../../forge/forge.ts'

/** A CI file that `init --ci` writes, and its path in the repository. */
export interface CiFile {
  readonly path: string
  readonly text: string
}

export const ciForges = ['github', 'gitlab'] as const

export type CiForge = (typeof ciForges)[number]

/** The files for one forge. `keys` are the variables from which `project.yaml` reads secrets. */
export function ciFiles(forge: CiForge, keys: readonly string[]): readonly CiFile[] {
  if (forge === 'github') return [{ path: '.github/workflows/crossbill.yml', text: githubWorkflow(keys) }]
  return [{ path: '.gitlab/crossbill.yml', text: gitlabPipeline(keys) }]
}

const head = ['# Written by: crossbill init --ci. docs/ci.md explains the flow, its permissions and its keys.']

function githubWorkflow(keys: readonly string[]): string {
  const secrets = keys.map((key) => `          ${key}: \${{ secrets.${key} }}`)
  const prepare = [
    '      - uses: actions/checkout@v4',
    '        with: { persist-credentials: false }',
    '      - uses: actions/setup-node@v4',
    '        with: { node-version: 24 }',
    '      - run: npm ci',
  ]
  const step = (line: string): readonly string[] => [
    `      - run: npm exec --no -- crossbill ${line}`,
    '        env:',
    '          GITHUB_TOKEN: ${{ github.token }}',
    ...secrets,
  ]
  return [
    ...head,
    'name: crossbill',
    '',
    'on:',
    '  pull_request:',
    '  push:',
    '    branches: [main]',
    "    paths: ['catalog/**']",
    '  schedule:',
    "    - cron: '17 3 * * *'",
    '',
    'permissions:',
    '  contents: read',
    '',
    'jobs:',
    '  # Needs no key, so it also runs for pull requests of forks.',
    '  validate:',
    "    if: github.event_name == 'pull_request'",
    '    runs-on: ubuntu-latest',
    '    timeout-minutes: 10',
    '    steps:',
    ...prepare,
    '      - run: npm exec --no -- crossbill validate',
    '',
    '  # The environment holds keys that may only read.',
    '  plan:',
    "    if: github.event_name == 'pull_request' && github.event.pull_request.head.repo.full_name == github.repository",
    '    runs-on: ubuntu-latest',
    '    timeout-minutes: 30',
    '    environment: crossbill-plan',
    '    permissions:',
    '      contents: read',
    '      pull-requests: write',
    '    concurrency:',
    '      group: crossbill-plan-${{ github.event.pull_request.number }}',
    '      cancel-in-progress: true',
    '    steps:',
    ...prepare,
    ...step('ci plan'),
    '      - uses: actions/upload-artifact@v4',
    '        if: always()',
    '        with:',
    `          name: ${planArtifact}`,
    `          path: ${planPath}`,
    '          if-no-files-found: ignore',
    '          overwrite: true',
    '          retention-days: 30',
    '',
    '  # The environment holds keys that may write. It accepts the branch main alone, and may ask for',
    '  # an approval.',
    '  apply:',
    "    if: github.event_name == 'push'",
    '    runs-on: ubuntu-latest',
    '    timeout-minutes: 350',
    '    environment: crossbill-apply',
    '    permissions:',
    '      actions: read',
    '      checks: read',
    '      contents: read',
    '      pull-requests: write',
    '      statuses: read',
    '    concurrency:',
    '      group: crossbill-apply',
    '      cancel-in-progress: false',
    '    steps:',
    ...prepare,
    ...step('ci apply'),
    '',
    '  night:',
    "    if: github.event_name == 'schedule'",
    '    runs-on: ubuntu-latest',
    '    timeout-minutes: 60',
    '    environment: crossbill-plan',
    '    permissions:',
    '      contents: read',
    '      issues: write',
    '    concurrency:',
    '      group: crossbill-night',
    '      cancel-in-progress: false',
    '    steps:',
    ...prepare,
    ...step('ci night'),
    '',
  ].join('\n')
}

function gitlabPipeline(keys: readonly string[]): string {
  const own = ['CROSSBILL_GITLAB_TOKEN', ...keys]
  const job = (name: string, lines: readonly string[]): readonly string[] => [
    `${name}:`,
    '  extends: .crossbill',
    ...lines.map((line) => `  ${line}`),
    '',
  ]
  return [
    ...head,
    '# Include it in .gitlab-ci.yml:',
    '#   include:',
    '#     - local: .gitlab/crossbill.yml',
    '# Variables, protected and masked, each in the scope of an environment:',
    `#   ${own.join(', ')}`,
    '',
    '.crossbill:',
    '  image: node:24',
    '  before_script:',
    '    - npm ci',
    '',
    '# Needs no key. The pipeline of a fork runs in the fork, which has none of the variables.',
    ...job('crossbill-validate', [
      'rules:',
      "  - if: $CI_PIPELINE_SOURCE == 'merge_request_event'",
      'script:',
      '  - npm exec --no -- crossbill validate',
    ]),
    '# The environment holds keys that may only read.',
    ...job(planArtifact, [
      'rules:',
      "  - if: $CI_PIPELINE_SOURCE == 'merge_request_event' && $CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_MERGE_REQUEST_PROJECT_ID",
      'environment: { name: crossbill-plan, action: access }',
      'interruptible: true',
      'timeout: 30m',
      'script:',
      '  - npm exec --no -- crossbill ci plan',
      'artifacts:',
      '  when: always',
      '  expire_in: 30 days',
      `  paths: [${planPath}]`,
    ]),
    '# The environment holds keys that may write, and is protected.',
    ...job('crossbill-apply', [
      'rules:',
      "  - if: $CI_PIPELINE_SOURCE == 'push' && $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH",
      "    changes: ['catalog/**/*']",
      'environment: { name: crossbill-apply }',
      'resource_group: crossbill-apply',
      'interruptible: false',
      'timeout: 6h',
      'script:',
      '  - npm exec --no -- crossbill ci apply',
    ]),
    ...job('crossbill-night', [
      'rules:',
      "  - if: $CI_PIPELINE_SOURCE == 'schedule'",
      'environment: { name: crossbill-plan, action: access }',
      'resource_group: crossbill-night',
      'timeout: 1h',
      'script:',
      '  - npm exec --no -- crossbill ci night',
    ]),
  ]
    .join('\n')
    .trimEnd()
    .concat('\n')
}
