import { existsSync } from 'node:fs'
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Project } from '../../catalog/types.ts'
import { CommandError } from '../../core/outcome.ts'
import type { Shell } from '../shell.ts'
import { loadProject } from '../wiring/catalog.ts'
import { withStore } from '../wiring/project.ts'
import { openProjectSandbox, type ProjectSandbox } from '../wiring/project-sandbox.ts'
import { playersIn, type Players } from './players.ts'
import { projectYaml } from '../wiring/project-template.ts'
import { advanceClock, copyCustomers, readCharges } from '../wiring/sandbox-control.ts'
import type { LedgerCharge } from '../wiring/world-charges.ts'

/** The demo's project on disk, its simulated world, and the control run. */
export interface School {
  readonly dir: string
  /** Runs commands in the project. */
  readonly players: Players
  /** Advances both worlds to an instant. */
  readonly advance: (to: string) => Promise<void>
  /** Lets Stripe copy customers and cards to the new account. @returns the name of the CSV */
  readonly copy: (source: string) => Promise<string>
  /** Edits every wave file of a source, as a person would in an editor. */
  readonly stage: (source: string, from: string, to: string) => Promise<readonly string[]>
  readonly charges: () => Promise<{
    readonly unmigrated: readonly LedgerCharge[]
    readonly made: readonly LedgerCharge[]
  }>
  readonly close: () => void
}

export interface SchoolOptions {
  readonly dir: string
  readonly subscribers: number
  readonly seed: number
  readonly clock: string
}

export async function openSchool({ dir, ...sandbox }: SchoolOptions, shell: Shell): Promise<School> {
  const account = { sandbox: true } as const
  const path = join(dir, 'catalog/project.yaml')
  if (existsSync(path))
    throw new CommandError('project_exists', `${path} already exists`, {
      notDone: 'nothing was written',
      fix: 'Name an empty folder with --dir, or leave --dir out.',
    })
  await write(
    path,
    projectYaml({ name: 'formulation-school', accounts: { target: account, us: account, intl: account }, sandbox }),
  )
  const here: Shell = { ...shell, project: dir }
  const { catalog } = await loadProject(here)
  const control = await controlRunOf(catalog.project)
  const inWorld = async <T>(work: (world: ProjectSandbox) => Promise<T>): Promise<T> =>
    await withStore(catalog.project, here, async (_store, world) => await work(world ?? control))
  return {
    dir,
    players: playersIn(dir, shell),
    async advance(to) {
      await inWorld(async (world) => advanceClock(world, to))
      await advanceClock(control, to)
    },
    async copy(source) {
      const name = `copy-map/${source}.csv`
      await write(join(dir, name), await inWorld(async (world) => copyCustomers(world, source, 'target')))
      return name
    },
    stage: async (source, from, to) => await changeStage(join(dir, 'catalog/subscribers', source), from, to),
    charges: async () => ({ unmigrated: await readCharges(control), made: await inWorld(readCharges) }),
    close: () => control.close(),
  }
}

/**
 * The control run: the same subscribers, seed and clock, without a migration. Its charges are the
 * expected ones.
 */
async function controlRunOf(project: Project): Promise<ProjectSandbox> {
  const control = await openProjectSandbox(project)
  if (control === undefined) throw new Error('the project of the demo has simulated accounts')
  return control
}

async function changeStage(folder: string, from: string, to: string): Promise<string[]> {
  // A small school may have no subscriber in one of the accounts.
  await mkdir(folder, { recursive: true })
  const names = (await readdir(folder)).filter((name) => name.endsWith('.yaml')).sort()
  for (const name of names) {
    const path = join(folder, name)
    const text = await readFile(path, 'utf8')
    await writeFile(path, text.replace(new RegExp(`^stage: ${from}\\b`, 'm'), `stage: ${to}`))
  }
  return names
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
}
