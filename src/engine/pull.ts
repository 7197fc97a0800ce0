import { loadCatalog } from '../catalog/load.ts'
import type { Catalog } from '../catalog/types.ts'
import { pullCatalog, type Pulled, type PullInput } from '../pull/pull.ts'
import { sourceKinds } from '../pull/entries.ts'
import { isTouched, whereaboutsOf } from '../pull/whereabouts.ts'
import type { SubscriberKey } from '../core/address.ts'
import type { StripeObject } from '../core/json.ts'
import { formatMoney } from '../core/money.ts'
import { CommandError, type Failure } from '../core/outcome.ts'
import type { KindName } from '../kinds/kind.ts'
import { kinds } from '../kinds/registry.ts'
import { changesToAdopt, type ToAdopt } from '../handover/to-adopt.ts'
import type { LiveAccount } from '../live/accounts.ts'
import type { Notice } from '../plan/types.ts'
import { upcomingIn } from '../plan/upcoming.ts'
import type { Context } from './context.ts'
import { findExternalBilling, undeclared, type ExternalBilling } from './read/external-billers.ts'
import type { StripeAccount } from './ports.ts'
import { readAccount } from './read/account.ts'
import { readOnce } from './read/lists.ts'
import { kindsToRead, readResources } from './read/resources.ts'
import { wronglyMapped, wrongMappingNotices } from './plan/wrong-mappings.ts'
import { endedIn, leftInPlace } from './plan/notices.ts'
import { readCopyMaps, withMarkedCopies } from './plan/survey.ts'

export interface PullOptions {
  /**
   * Only these sources; all of them when absent. `target` may be named to write its catalog as
   * YAML.
   */
  readonly sources?: readonly string[]
  /**
   * The existing YAML, by path relative to catalog/ (`prices.yaml`, `subscribers/us/wave-01.yaml`):
   * manual edits and comments are kept.
   */
  readonly files: ReadonlyMap<string, string>
  /** Subscribers in a new wave; 500 when absent. */
  readonly waveSize?: number
}

export interface PullResult {
  /** New or changed files, by path relative to catalog/. An unchanged account gives none. */
  readonly files: ReadonlyMap<string, string>
  /** What was found and merged, one sentence each. */
  readonly notes: readonly string[]
  readonly summary: Readonly<Record<string, number>>
}

/**
 * Reads the accounts and returns the YAML that matches them. The command line writes the files.
 * Read-only.
 * @throws CommandError when an account cannot be read.
 */
export async function pull(context: Context, { sources, files, waveSize }: PullOptions): Promise<PullResult> {
  const { target: here, sources: all } = context.accounts
  const wanted = [...all.values(), here].filter(({ name }) => sources?.includes(name) ?? name !== here.name)
  context.progress.start('reading accounts')
  const accounts = await Promise.all(wanted.map((account) => readWhole(context, account)))
  context.progress.done()
  const target = await targetOf(context, accounts)
  const live = { sources: new Map(accounts.map(({ live: one }) => [one.name, one])) }
  const input = {
    project: context.catalog.project.name,
    accounts,
    now: context.accounts.target.now(),
    wronglyMapped: wronglyMapped(context.catalog, live),
    ...(target === undefined ? {} : { whereabouts: whereaboutsIn(context, target, accounts) }),
    ...(waveSize === undefined ? {} : { waveSize }),
  }
  const adopted = async (catalog: Catalog): Promise<ReadonlyMap<SubscriberKey, ToAdopt>> =>
    target === undefined ? new Map() : changedInTarget(context, { catalog, target, accounts })
  const pulled = await whole(pullCatalog({ ...input, files, changedInTarget: await adopted(context.catalog) }), {
    ...input,
    before: files,
    adopted,
  })
  const outside = undeclared(
    accounts.flatMap(({ external }) => external),
    context.catalog,
  )
  const left = leftInPlace(context.catalog)
  const ended = endedIn(accounts.map(({ live: account }) => account))
  const carriesItems = context.catalog.project.policies.pending_invoice_items === 'carry'
  const ahead = [
    ...accounts.flatMap(({ live: account }) =>
      upcomingIn({ account, isTarget: account.name === here.name, left, carriesItems, ended }),
    ),
    ...wrongMappingNotices(context.catalog, live),
  ]
  return {
    files: pulled.files,
    notes: [
      ...pulled.notes,
      ...accounts.flatMap(({ unread }) => unread),
      ...outside.map(noteOf),
      ...ahead.map(noticeLine),
    ],
    summary: {
      ...pulled.summary,
      ...(outside.length === 0 ? {} : { external_billers: outside.length }),
      ...(ahead.length === 0 ? {} : { notices: ahead.length }),
    },
  }
}

async function readWhole(context: Context, connected: StripeAccount) {
  const account = readOnce(connected)
  const isTarget = account.name === context.accounts.target.name
  const [live, { resources, unread }, external] = await Promise.all([
    readAccount(account, context.progress),
    isTarget ? readAllowed(context, account) : { resources: await readResources(account, sourceKinds), unread: [] },
    isTarget ? [] : findExternalBilling(account),
  ])
  return { live, resources, external, unread }
}

/**
 * Every kind of the target. A key that may not read a kind of which nothing is declared leaves out
 * that kind, with a note; the rest is written.
 */
async function readAllowed(context: Context, account: StripeAccount) {
  const named = kindsToRead(context.catalog, await context.store.objects())
  const unread: string[] = []
  const [resources, ...others] = await Promise.all([
    readResources(account, named),
    ...kinds
      .filter((kind) => !named.includes(kind))
      .map(async (kind) => {
        try {
          return await readResources(account, [kind])
        } catch (error) {
          if (!(error instanceof CommandError) || (error.cause as Partial<Failure> | undefined)?.status !== 403)
            throw error
          unread.push(`${kind.section} were not read: the key of account ${account.name} may not read them`)
          return new Map<KindName, readonly StripeObject[]>()
        }
      }),
  ])
  return { resources: new Map([resources, ...others].flatMap((one) => [...one])), unread }
}

/**
 * Reads the target only when subscribers may be there: by the YAML, or by a mark in an old account.
 */
async function targetOf(
  { accounts: { target }, catalog, progress }: Context,
  accounts: readonly { readonly live: LiveAccount }[],
): Promise<LiveAccount | undefined> {
  const known = accounts.find(({ live }) => live.name === target.name)
  if (known !== undefined) return known.live
  const moved = catalog.subscribers.some(({ stage }) => stage !== 'source')
  const touched = accounts.some(({ live }) => live.subscriptions.some(isTouched))
  return moved || touched ? await readAccount(target, progress) : undefined
}

function whereaboutsIn(
  { catalog, accounts }: Context,
  target: LiveAccount,
  all: readonly { readonly live: LiveAccount }[],
): ReturnType<typeof whereaboutsOf> {
  const sources = all.map(({ live }) => live).filter(({ name }) => name !== accounts.target.name)
  return whereaboutsOf(catalog.project.name, target, sources)
}

interface Again extends Omit<PullInput, 'files' | 'changedInTarget'> {
  readonly before: ReadonlyMap<string, string>
  readonly adopted: (catalog: Catalog) => Promise<ReadonlyMap<SubscriberKey, ToAdopt>>
}

/**
 * Subscribers new in the files who were already moved may have changed something since; this shows
 * only once they have an entry.
 */
async function whole(first: Pulled, { before, adopted, ...input }: Again): Promise<Pulled> {
  if (input.whereabouts === undefined || first.files.size === 0) return first
  const files = new Map([...before, ...first.files])
  const { catalog } = loadCatalog(
    [...files].map(([path, text]) => ({ path, text })),
    'entries',
  )
  if (catalog === undefined) return first
  const second = pullCatalog({ ...input, files, changedInTarget: await adopted(catalog) })
  const notes = second.notes.filter(
    (note) => !first.notes.includes(note) && / (changed in the target|differed from what is billed): /.test(note),
  )
  return { ...first, files: new Map([...first.files, ...second.files]), notes: [...first.notes, ...notes] }
}

async function changedInTarget(
  context: Context,
  {
    catalog,
    target,
    accounts,
  }: {
    readonly catalog: Catalog
    readonly target: LiveAccount
    readonly accounts: readonly { readonly live: LiveAccount }[]
  },
): Promise<ReadonlyMap<SubscriberKey, ToAdopt>> {
  const known = accounts.map(({ live }) => live)
  const sources = new Map(known.filter(({ name }) => name !== target.name).map((live) => [live.name, live]))
  return changesToAdopt({
    catalog,
    live: { target, sources, resources: new Map() },
    copyMaps: withMarkedCopies(await readCopyMaps(context), { target, sources }),
    remembered: new Map(),
    now: context.accounts.target.now(),
  })
}

/** `schedule_not_begun 2027-02-01T00:00:00Z: …` */
function noticeLine({ code, subscriber, at, message, fix }: Notice): string {
  const about = code === 'mapping_differs' ? `${subscriber} ${message}` : message
  return `${code}${at === null ? '' : ` ${at}`}: ${about}; ${fix}`
}

function noteOf({ source, customer, charges, last }: ExternalBilling): string {
  const what = `${source}/${customer} was charged ${charges} times without an invoice, last ${formatMoney(last)}`
  return `${what}: a program other than Stripe Billing runs a payment plan there; declare it in catalog/externals.yaml with a reason`
}
