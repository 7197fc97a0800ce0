import { CommandError } from '../../core/outcome.ts'
import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CatalogFile, Leniency } from '../../catalog/load.ts'
import type { Catalog, Project } from '../../catalog/types.ts'
import type { Context } from '../../engine/context.ts'
import type { Accounts, Store } from '../../engine/ports.ts'
import { readConfirmed } from '../../files/confirmed.ts'
import { openSecretSink } from '../../files/secret-sink.ts'
import { resolveSecret } from '../../files/secrets.ts'
import type { OpenStore } from '../../store/open.ts'
import { loadProject } from './catalog.ts'
import { connectAccounts } from './connect.ts'
import { withCopyMapFiles } from './copy-map-files.ts'
import { refuseUnset } from './secret-names.ts'
import { openProjectSandbox, type ProjectSandbox } from './project-sandbox.ts'
import type { AccessPort } from '../../engine/access-port.ts'
import { accessIn } from '../../catalog/access-read.ts'
import type { Shell } from '../shell.ts'
import { tool } from '../version.ts'

export interface OpenProject {
  readonly context: Context
  /** The store itself, with the inbox of the cancel service. */
  readonly store: OpenStore
  /** The simulated world, when an account has `sandbox: true`. */
  readonly sandbox: ProjectSandbox | undefined
  /** The YAML files as they were read. */
  readonly files: readonly CatalogFile[]
}

/**
 * Opens the project that a command works on: reads and checks the catalog, opens the store,
 * connects every account and proves its identity. Closes all of it when the work ends or fails.
 * @throws FindingsError, CommandError
 */
export async function withProject<T>(shell: Shell, work: (project: OpenProject) => Promise<T>): Promise<T> {
  return await withProjectDespite(shell, { leniency: 'strict' }, work)
}

export interface Opening {
  /** Which errors in the YAML the work tolerates. */
  readonly leniency: Leniency
  /** True for a service, which must start and store cancels while Stripe does not answer. */
  readonly service?: boolean
  /** False for work that must not wait for Kajabi. */
  readonly accessNeeded?: boolean
}

/**
 * As `withProject`, for work that continues with the right entries when other entries are wrong.
 */
export async function withProjectDespite<T>(
  shell: Shell,
  { leniency, accessNeeded = true, service = false }: Opening,
  work: (project: OpenProject) => Promise<T>,
): Promise<T> {
  const { catalog, files } = await loadProject(shell, leniency)
  const { accounts: configs, kajabi, store: place } = catalog.project
  const isKajabiNeeded = accessNeeded && catalog.access['offers'] !== undefined && kajabi !== undefined
  refuseUnset({ accounts: configs, store: place, ...(isKajabiNeeded ? { kajabi } : {}) }, shell)
  return await withStore(
    catalog.project,
    shell,
    async (store, sandbox) => {
      const accounts = await connectAccounts(catalog.project, sandbox, shell, service)
      const copied = await withCopyMapFiles(store, catalog.project, shell, leniency)
      const reach = async (): Promise<AccessPort | undefined> => accessOf(catalog, store, sandbox, shell)
      const access = accessNeeded ? await reach() : await ifPossible(reach, shell)
      const confirmed = await readConfirmed(shell.project)
      const reached = access === undefined ? {} : { access }
      const context = { ...contextOf(catalog, accounts, copied, shell), confirmed, ...reached }
      return await work({ context, store, sandbox, files })
    },
    service,
  )
}

/** For work that must not wait for Kajabi: without it, the work continues and prints a note. */
export async function ifPossible<T>(reach: () => Promise<T | undefined>, shell: Shell): Promise<T | undefined> {
  try {
    return await reach()
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    shell.say(`Kajabi is left out: ${error.message}. Access in Kajabi is not changed.`)
    return undefined
  }
}

/** The access port; undefined when the project has no offers, or no way to grant them. */
async function accessOf(
  catalog: Catalog,
  store: OpenStore,
  sandbox: ProjectSandbox | undefined,
  shell: Shell,
): Promise<AccessPort | undefined> {
  const { project, access } = catalog
  if (access['offers'] === undefined) return undefined
  const offers = accessIn(catalog)
  const { connectKajabi } = await import('./connect-kajabi.ts')
  const { connectOfferUrls } = await import('./connect-offer-urls.ts')
  const { noSite } = await import('../../kajabi/no-site.ts')
  const kajabi = await connectKajabi(project.kajabi, sandbox, shell)
  const urls = connectOfferUrls(offers, shell)
  if (kajabi === undefined && urls === undefined) return undefined
  const port = { kajabi: kajabi ?? noSite(), grants: store.inbox, offers }
  return urls === undefined ? port : { ...port, urls }
}

/**
 * Works on the project's store, and on the simulated world of its accounts with `sandbox: true`
 * when it has any.
 */
export async function withStore<T>(
  project: Project,
  shell: Shell,
  work: (store: OpenStore, sandbox: ProjectSandbox | undefined) => Promise<T>,
  service = false,
): Promise<T> {
  const store = await openProjectStore(project, shell, service)
  try {
    const sandbox = await openProjectSandbox(project, store.world)
    try {
      return await work(store, sandbox)
    } finally {
      sandbox?.close()
    }
  } finally {
    await store.close()
  }
}

function contextOf(catalog: Catalog, accounts: Accounts, store: Store, shell: Shell): Context {
  const simulated = Object.values(catalog.project.accounts).every((account) => account.sandbox === true)
  return {
    accounts,
    store,
    catalog,
    progress: shell.progress,
    interrupt: shell.stop,
    sink: openSecretSink({ folder: shell.project, env: shell.surroundings.env }, shell.say),
    tool,
    run: `${new Date().toISOString().replaceAll(/[-:]|\..*/g, '')}-${randomBytes(4).toString('hex')}`,
    // A simulated world does not change between requests, so waiting for it is useless.
    wait: async (seconds) => {
      if (!simulated) await sleep(seconds * 1_000)
    },
  }
}

/** A service opens its store at the first use, because it must start while its database is away. */
async function openProjectStore(project: Project, shell: Shell, service: boolean): Promise<OpenStore> {
  const { store } = project
  // Loading takes 100 ms, which --help and offline commands must not wait for.
  const { openStore, openStoreLater } = await import('../../store/open.ts')
  const open = service ? openStoreLater : openStore
  if ('file' in store) return await open({ file: resolve(shell.project, store.file) })
  const surroundings = { folder: shell.project, env: shell.surroundings.env }
  return await open({ url: await resolveSecret(store.url, 'the address of the store', surroundings) })
}
