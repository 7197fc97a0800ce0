import { pullCatalog } from '../pull/pull.ts'
import type { SubscriberKey } from '../core/address.ts'
import { formatMoney } from '../core/money.ts'
import { type Changed, changesToAdopt } from '../handover/since-move.ts'
import type { LiveAccount } from '../live/accounts.ts'
import type { Context } from './context.ts'
import { findExternalBilling, undeclared, type ExternalBilling } from './read/external-billers.ts'
import type { StripeAccount } from './ports.ts'
import { readAccount } from './read/account.ts'
import { readResources } from './read/resources.ts'
import { readCopyMaps } from './plan/survey.ts'

export interface PullOptions {
  /** Only these sources; all of them when absent. `target` may be named to bring its own catalog into YAML. */
  readonly sources?: readonly string[]
  /** The YAML there is, by path relative to catalog/ (`prices.yaml`, `subscribers/us/wave-01.yaml`): hand-made edits and comments are kept. */
  readonly files: ReadonlyMap<string, string>
  /** Subscribers in a new wave; 500 when absent. */
  readonly waveSize?: number
}

export interface PullResult {
  /** Files to write, new or changed, by path relative to catalog/. An unchanged account gives none. */
  readonly files: ReadonlyMap<string, string>
  /** What was found and merged, one sentence each, for people. */
  readonly notes: readonly string[]
  readonly summary: Readonly<Record<string, number>>
}

/**
 * Reads the accounts and says what the YAML should be. The command line writes the files. Read-only.
 * @throws CommandError when an account cannot be read.
 */
export async function pull(context: Context, { sources, files, waveSize }: PullOptions): Promise<PullResult> {
  const { target, sources: all } = context.accounts
  const wanted = [...all.values(), target].filter(({ name }) => sources?.includes(name) ?? name !== target.name)
  context.progress.start('reading accounts')
  const accounts = await Promise.all(wanted.map((account) => readWhole(context, account)))
  context.progress.done()
  const pulled = pullCatalog({
    project: context.catalog.project.name,
    accounts,
    files,
    now: target.now(),
    changedInTarget: await changedInTarget(context, accounts),
    ...(waveSize === undefined ? {} : { waveSize }),
  })
  const outside = undeclared(
    accounts.flatMap(({ external }) => external),
    context.catalog,
  )
  return {
    files: pulled.files,
    notes: [...pulled.notes, ...outside.map(noteOf)],
    summary: { ...pulled.summary, ...(outside.length === 0 ? {} : { external_billers: outside.length }) },
  }
}

async function readWhole(context: Context, account: StripeAccount) {
  const [live, resources, external] = await Promise.all([
    readAccount(account, context.progress),
    readResources(account),
    account.name === context.accounts.target.name ? [] : findExternalBilling(account),
  ])
  return { live, resources, external }
}

/** The target is read only when somebody may be there. */
async function changedInTarget(
  context: Context,
  accounts: readonly { readonly live: LiveAccount }[],
): Promise<ReadonlyMap<SubscriberKey, readonly Changed[]>> {
  const { catalog } = context
  const { target } = context.accounts
  if (catalog.subscribers.every(({ stage }) => stage === 'source')) return new Map()
  const known = accounts.map(({ live }) => live)
  return changesToAdopt({
    catalog,
    live: {
      target: known.find(({ name }) => name === target.name) ?? (await readAccount(target, context.progress)),
      sources: new Map(known.filter(({ name }) => name !== target.name).map((live) => [live.name, live])),
      resources: new Map(),
    },
    copyMaps: await readCopyMaps(context),
    remembered: new Map(),
    now: target.now(),
  })
}

function noteOf({ source, customer, charges, last }: ExternalBilling): string {
  const what = `${source}/${customer} was charged ${charges} times without an invoice, last ${formatMoney(last)}`
  return `${what}: something other than Stripe Billing runs a payment plan there; declare it in catalog/externals.yaml with a reason`
}
