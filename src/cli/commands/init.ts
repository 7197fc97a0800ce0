import { addAll } from '../../core/lists.ts'
import { exitCodes } from '../exit-codes.ts'
import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { CommandError } from '../../core/outcome.ts'
import { writeWhole } from '../../files/write.ts'
import { schemaFolder } from '../../pull/files.ts'
import { checkCatalog } from '../wiring/catalog.ts'
import { command } from '../command.ts'
import type { Project } from '../../catalog/types.ts'
import { ciFiles, ciForges, type CiForge } from '../wiring/ci-templates.ts'
import { editorSettings, gitignoreText, refuseTakenSchemas, writeSchemas } from '../wiring/project-files.ts'
import { secretNames } from '../wiring/secret-names.ts'
import { projectYaml, type NewAccount, type NewProject } from '../wiring/project-template.ts'
import { findingsText, isSystemError } from '../report-error.ts'
import type { Shell } from '../shell.ts'
import { FindingsError, UsageError } from '../usage-error.ts'

export const main = command({
  positionals: {},
  options: {
    name: { type: 'string', requiresArg: true, describe: 'name of the project; default: name of the folder' },
    target: { type: 'string', requiresArg: true, describe: 'id of the new account: acct_…' },
    source: {
      type: 'string',
      array: true,
      requiresArg: true,
      describe: 'your name for an old account and its id: us=acct_…; may be repeated',
    },
    live: { type: 'boolean', default: false, describe: 'the accounts are in live mode' },
    sandbox: { type: 'boolean', default: false, describe: 'use simulated accounts, which need no key' },
    ci: {
      type: 'string',
      requiresArg: true,
      choices: ciForges,
      describe: 'write the pull-request workflow for this forge; in an existing project, write nothing else',
    },
  },
  examples: [
    ['init', 'ask for what is needed'],
    ['init --target acct_1New --source us=acct_1Us --source intl=acct_1Intl', 'ask nothing'],
    ['init --sandbox', 'start a project with simulated accounts'],
    ['init --ci github', 'write the pull-request workflow, for a new or an existing project'],
  ],
  formats: ['text', 'json'],
  async run({ name, target, source, live, sandbox, ci }, shell) {
    const path = join(shell.project, 'catalog', 'project.yaml')
    if (ci !== undefined) await refuseExistingCi(ci, shell)
    if (ci !== undefined && (await textOf(path)) !== undefined) {
      const { catalog, findings } = await checkCatalog(shell, 'accounts')
      if (catalog === undefined) throw new FindingsError(findings)
      reportCi(await writeCi(ci, envNames(catalog.project), shell), shell)
      await sayNextForCi(shell)
      return exitCodes.fine
    }
    await refuseExisting(path, shell)
    await refuseTakenSchemas(join(shell.project, schemaFolder))
    const named = name ?? nameFrom(shell.project)
    const project = sandbox
      ? sandboxProject(named)
      : await realProject(named, { target, sources: source ?? [], live }, shell)
    await writeWhole(path, projectYaml(project))
    const { catalog, findings } = await checkCatalog(shell)
    if (catalog === undefined)
      throw new CommandError('init_invalid', `the new project does not pass validate:\n${findingsText(findings)}`, {
        fix: `Correct ${shell.near(path)} by hand.`,
      })
    const beside = await writeBeside(shell)
    if (ci !== undefined) addAll(beside, await writeCi(ci, envNames(catalog.project), shell))
    report(path, { project, beside }, shell)
    if (ci !== undefined) await sayNextForCi(shell)
    return exitCodes.fine
  },
})

/** The text of a file; undefined when it does not exist. */
async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (isSystemError(error) && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** Writes the files for version control and editors. @returns their paths */
async function writeBeside(shell: Shell): Promise<string[]> {
  const ignorePath = join(shell.project, '.gitignore')
  const written = await textOf(ignorePath)
  const settings = join(shell.project, '.vscode', 'settings.json')
  const files: (readonly [string, string])[] = [
    [ignorePath, gitignoreText(written)],
    // Existing settings are not changed; the first line of each YAML file also names its schema.
    ...((await textOf(settings)) === undefined ? [[settings, editorSettings()] as const] : []),
  ]
  for (const [path, text] of files) await writeWhole(path, text)
  return [...files.map(([path]) => path), ...(await writeSchemas(join(shell.project, schemaFolder)))]
}

async function refuseExistingCi(forge: CiForge, shell: Shell): Promise<void> {
  for (const { path } of ciFiles(forge, [])) {
    const there = join(shell.project, path)
    if ((await textOf(there)) !== undefined)
      throw new CommandError('ci_exists', `${shell.near(there)} already exists`, {
        notDone: 'nothing was written',
        fix: 'Delete that file first, or compare it with the recipe in docs/ci/.',
      })
  }
}

async function writeCi(forge: CiForge, keys: readonly string[], shell: Shell): Promise<readonly string[]> {
  const files = ciFiles(forge, keys)
  for (const { path, text } of files) await writeWhole(join(shell.project, path), text)
  return files.map(({ path }) => join(shell.project, path))
}

/** The environment variables from which the workflow's commands read secrets. */
function envNames(project: Project): readonly string[] {
  return secretNames(project).map(({ env }) => env)
}

function reportCi(written: readonly string[], shell: Shell): void {
  if (shell.format === 'json') shell.json({ written: written[0], beside: written.slice(1) })
  else shell.out(`Wrote ${written.map((path) => shell.near(path)).join(', ')}.`)
}

/** What the workflow needs that init does not write. */
async function sayNextForCi(shell: Shell): Promise<void> {
  shell.say('Create the environments crossbill-plan (with read-only keys) and crossbill-apply. See docs/ci.md.')
  if ((await textOf(join(shell.project, 'package-lock.json'))) === undefined)
    shell.say(
      'The workflow installs with npm ci: add a package.json that names Crossbill, and its package-lock.json. See docs/installing.md.',
    )
}

async function refuseExisting(path: string, shell: Shell): Promise<void> {
  if ((await textOf(path)) !== undefined)
    throw new CommandError('project_exists', `${shell.near(path)} already exists`, {
      notDone: 'nothing was written',
      fix: 'Edit that file, or name another folder with --project.',
    })
}

function nameFrom(folder: string): string {
  return (
    basename(folder)
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .replaceAll(/^-+|-+$/g, '') || 'my-school'
  )
}

function sandboxProject(name: string): NewProject {
  const account: NewAccount = { sandbox: true }
  return {
    name,
    accounts: { target: account, us: account, intl: account },
    sandbox: { subscribers: 60, seed: 1, clock: '2026-12-01T12:00:00Z' },
  }
}

interface Wanted {
  readonly target: string | undefined
  readonly sources: readonly string[]
  readonly live: boolean
}

async function realProject(name: string, { target, sources, live }: Wanted, shell: Shell): Promise<NewProject> {
  const asks = target === undefined
  const own = asks ? await askTarget(shell) : account('target', target, live)
  const pairs = sources.length > 0 || !asks ? sources.map((pair) => sourceAccount(pair, live)) : await askSources(shell)
  const named: [string, NewAccount][] = [['target', own], ...pairs]
  refuseTwice(named.map(([known, one]) => [known, 'account' in one ? one.account : known]))
  const isLive = live || (asks && (await askLive(shell)))
  return { name, accounts: Object.fromEntries(named.map(([known, one]) => [known, { ...one, livemode: isLive }])) }
}

async function askTarget(shell: Shell): Promise<NewAccount> {
  return await askUntil(shell, 'Id of the new account (acct_…):', (answer) => account('target', answer, false))
}

async function askSources(shell: Shell): Promise<readonly [string, NewAccount][]> {
  return await askUntil(shell, 'Old accounts, each as name=acct_… (us=acct_1… intl=acct_2…):', (answer) => {
    const pairs = answer.split(/[\s,]+/).filter((word) => word !== '')
    if (pairs.length === 0) throw new UsageError('bad-source', 'no old account was named', 'Write it as us=acct_…')
    return pairs.map((pair) => sourceAccount(pair, false))
  })
}

/** A wrong answer is refused at the first request, because the key is of the other mode. */
async function askLive(shell: Shell): Promise<boolean> {
  return await askUntil(shell, 'Are these accounts in live mode, with real money? (yes/no):', (answer) => {
    if (/^y(es)?$/i.test(answer)) return true
    if (/^no?$/i.test(answer)) return false
    throw new UsageError('yes-or-no', 'that is neither yes nor no', 'Answer yes or no.')
  })
}

/** Asks again, with what is wrong, until an answer can be used. */
async function askUntil<T>(shell: Shell, question: string, read: (answer: string) => T): Promise<T> {
  for (;;) {
    const answer = await shell.ask(question)
    if (answer === undefined)
      throw new UsageError(
        'nobody-to-ask',
        'init needs --target acct_… (there is no terminal to answer on)',
        'See: crossbill init --help',
      )
    try {
      return read(answer)
    } catch (error) {
      // A key that was typed must be rolled, so it is no slip.
      if (!(error instanceof UsageError) || error.rule === 'key-on-command-line') throw error
      shell.say(`${error.message}. ${error.fix}`)
    }
  }
}

/**
 * Refuses one account under two names, which would be moved into itself, and one name for two
 * accounts, which would lose the first.
 */
function refuseTwice(named: readonly (readonly [string, string])[]): void {
  for (const [at, [name, id]] of named.entries()) {
    const [other] = named.slice(0, at).find(([known, before]) => known === name || before === id) ?? []
    if (other !== undefined)
      throw new UsageError(
        'account-twice',
        other === name ? `account ${name} is named twice` : `accounts ${other} and ${name} are the same account, ${id}`,
        'Give each account its own name and its own id.',
      )
  }
}

function sourceAccount(pair: string, live: boolean): [string, NewAccount] {
  const [name = '', id = ''] = pair.split('=')
  if (!/^[a-z][a-z0-9-]*$/.test(name) || name === 'target')
    throw new UsageError('bad-source', `"${pair}" is not a name and an account id`, 'Write it as us=acct_…')
  return [name, account(name, id, live)]
}

function account(name: string, id: string, live: boolean): NewAccount {
  if (/^[sr]k_/.test(id))
    throw new UsageError(
      'key-on-command-line',
      `account ${name}: that is a secret key, not the id of an account`,
      'Roll that key, because it is now in the history of your shell. Give init the id that begins with acct_.',
    )
  if (!/^acct_\w+$/.test(id))
    throw new UsageError(
      'bad-account',
      `account ${name}: "${id}" is not an account id`,
      'An account id begins with acct_. The Dashboard shows it under Settings, Account.',
    )
  return { account: id, livemode: live, env: `STRIPE_KEY_${name.toUpperCase().replaceAll('-', '_')}` }
}

interface Started {
  readonly project: NewProject
  readonly beside: readonly string[]
}

function report(path: string, { project: { accounts }, beside }: Started, shell: Shell): void {
  const keys = Object.values(accounts).flatMap((one) => ('env' in one ? [one.env] : []))
  if (shell.format === 'json') shell.json({ written: path, keys, beside })
  else {
    shell.out(`Wrote ${shell.near(path)}.`)
    shell.out(`Also wrote ${placesOf(beside, shell).join(', ')}.`)
  }
  const folder = shell.near(shell.project)
  const there = folder === '' ? '' : ` --project ${folder}`
  if (keys.length > 0)
    shell.say(`Set ${keys.join(', ')} to restricted keys of these accounts, then run: crossbill doctor${there}`)
  else shell.say(`Next, run: crossbill pull${there}`)
}

/** The paths for the message, with the schemas as one folder. */
function placesOf(paths: readonly string[], shell: Shell): readonly string[] {
  const schemas = join(shell.project, schemaFolder)
  return [...new Set(paths.map((path) => shell.near(path.startsWith(schemas) ? schemas : path)))]
}
