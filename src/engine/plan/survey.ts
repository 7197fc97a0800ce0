import { splitAddress } from '../../core/address.ts'
import { kindNamed } from '../../kinds/registry.ts'
import { idOf } from '../../core/reference.ts'
import { markCard } from '../../live/entered-card.ts'
import { markFrom, oldIdOf, readPaymentMark } from '../../live/marks.ts'
import { withKnown } from '../read/known.ts'
import { withOwnHolds } from '../read/own-holds.ts'
import type { ResourcesPlan } from '../../plan/resources/types.ts'
import { blocked } from '../../handover/reasons.ts'
import { adoptedObjects } from '../../catalog/adopted.ts'
import { isIncomplete, leftOutEntries } from '../../catalog/left-out.ts'
import type { Catalog } from '../../catalog/types.ts'
import type Stripe from 'stripe'
import { classifySubscribers } from '../../handover/classify.ts'
import { asksForInvoices } from '../../handover/taken-back.ts'
import type { Classification, CopyMap, HandoverInput } from '../../handover/types.ts'
import { copyMapOf } from '../../handover/candidate.ts'
import type { Live, LiveAccount } from '../../live/accounts.ts'
import { referencesIn } from '../../plan/references.ts'
import { planResources } from '../../plan/resources/plan.ts'
import { surveyAccess, type AccessSurvey } from '../access/survey.ts'
import type { Context } from '../context.ts'
import type { CopyMapRow, ObjectRecord } from '../ports.ts'
import { capturedBefore } from './captured.ts'
import { enteredCards } from '../read/entered-cards.ts'
import { invoicesToTakeBack } from '../read/invoices-in-target.ts'
import { refresh } from '../read/refresh.ts'

/** Everything read, and the conclusions from it. Plan, verify, drift and apply use it. */
export interface Survey {
  readonly live: Live
  readonly input: HandoverInput
  readonly classified: readonly Classification[]
  readonly resources: ResourcesPlan
  readonly known: readonly ObjectRecord[]
  /** Addresses under `removed:` whose objects the journal shows as retired. */
  readonly retired: ReadonlySet<string>
  /** Undefined for a project without access. */
  readonly access: AccessSurvey | undefined
  readonly state: { readonly lineage: string; readonly serial: number }
}

/** Reads the accounts (unless given) and the store, and draws the conclusions. Read-only. */
export async function survey(
  context: Pick<Context, 'accounts' | 'store' | 'catalog' | 'progress' | 'access'>,
  given?: Live,
): Promise<Survey> {
  const { store, catalog, accounts } = context
  // The version is read first, so that a write in the meantime makes the plan stale, not wrong.
  const state = await store.version()
  const listed = given ?? (await refresh(context))
  const [known, records, imported] = await Promise.all([store.objects(), store.subscribers(), readCopyMaps(context)])
  const customers = new Map([...imported].map(([source, map]) => [source, map.customers]))
  const complete = await withKnown(context, listed, { catalog, records, customers })
  const whole = { ...complete, sources: await withHolds(context, complete.sources) }
  const captured = await capturedBefore(context, whole.target)
  const entered = await enteredCards(context, whole, catalog)
  const lists = { ...whole, target: { ...whole.target, captured, entered } }
  const copyMaps = withMarkedCopies(imported, lists)
  const remembered = new Map(
    records.map(({ key, phase, facts }) => [
      key as HandoverInput['remembered'] extends ReadonlyMap<infer K, unknown> ? K : never,
      { phase, facts },
    ]),
  )
  const shown: HandoverInput = { catalog, live: lists, copyMaps, remembered, now: accounts.target.now() }
  const { input, classified: willing } = await withInvoicesTakenBack(context, shown)
  const { live } = input
  const retired = await retiredBefore(store, catalog)
  const resources = resourcesOf({ live, input, known, retired }, willing, catalog)
  const classified = withoutBlockedResources(willing, resources)
  const access = await surveyAccess(context, live)
  return { live, input, classified, resources, known, retired, access, state }
}

/** Every old account, with the marks of holds that only the journal still shows. */
async function withHolds(context: Pick<Context, 'store'>, sources: Live['sources']): Promise<Live['sources']> {
  const read = new Map<string, LiveAccount>()
  for (const [name, account] of sources) read.set(name, await withOwnHolds(context, account))
  return read
}

/**
 * Classifies everybody. Where a revert is what the plan would do, every invoice of the new
 * subscription decides, and only those are read; who is reverted with them may change then.
 */
async function withInvoicesTakenBack(
  context: Pick<Context, 'accounts'>,
  shown: HandoverInput,
): Promise<{ readonly input: HandoverInput; readonly classified: readonly Classification[] }> {
  const asked = new Set<string>()
  const toTakeBack = new Map<string, readonly Stripe.Invoice[]>()
  let input = shown
  for (;;) {
    const classified = classifySubscribers(input)
    const wanted = classified.flatMap((one) =>
      one.successor !== null && !asked.has(one.successor) && asksForInvoices(one) ? [one.successor] : [],
    )
    if (wanted.length === 0) return { input, classified }
    for (const id of wanted) asked.add(id)
    for (const [id, invoices] of await invoicesToTakeBack(context, wanted)) toTakeBack.set(id, invoices)
    input = { ...shown, live: { ...shown.live, target: { ...shown.live.target, toTakeBack } } }
  }
}

/** The changes of the catalog, including what subscribers need before they move. */
export function resourcesOf(
  { live, input, known, retired }: Pick<Survey, 'live' | 'input' | 'known' | 'retired'>,
  classified: readonly Classification[],
  catalog: Catalog,
): ResourcesPlan {
  return planResources({
    project: catalog.project.name,
    now: input.now,
    desired: catalog.resources,
    live: live.resources,
    known,
    subscriptions: live.target.subscriptions,
    mapped: adoptedObjects(catalog),
    needed: neededObjects(classified),
    removed: catalog.removed,
    retired,
    moved: catalog.moved,
    ...(catalog.places === undefined ? {} : { places: catalog.places }),
    leftOut: leftOutEntries(catalog),
    incomplete: isIncomplete(catalog, 'resources'),
  })
}

/**
 * A line under `removed:` may stay after its apply. Marks show what became of most objects; for the
 * kinds without marks, only the journal does.
 */
async function retiredBefore(store: Context['store'], { removed }: Catalog): Promise<ReadonlySet<string>> {
  const found = new Set<string>()
  for (const address of removed.keys()) {
    if (kindNamed(splitAddress(address).kind)?.marks !== false) continue
    const entries = await store.journal({ address })
    if (entries.some(({ step, status }) => status === 'succeeded' && step.startsWith('retire:'))) found.add(address)
  }
  return found
}

/**
 * Blocks moves onto an object that is blocked and missing: the request would name an object that
 * does not exist.
 */
function withoutBlockedResources(
  classified: readonly Classification[],
  { blocked: refused, ids }: ResourcesPlan,
): readonly Classification[] {
  const missing = new Map(refused.filter(({ address }) => !ids.has(address)).map((one) => [one.address, one]))
  if (missing.size === 0) return classified
  return classified.map((one) => {
    if (one.outcome !== 'move') return one
    const wanted = one.plan.steps.flatMap(({ params }) => referencesIn(params))
    const stop = wanted.map((address) => missing.get(address)).find((refusal) => refusal !== undefined)
    if (stop === undefined) return one
    const { plan: _plan, taxed: _taxed, ...rest } = one
    const reason = blocked('resource_blocked', `${stop.address} is blocked (${stop.code}): ${stop.message}`, stop.fix)
    return { ...rest, outcome: 'blocked', reasons: [reason] }
  })
}

/**
 * Adds to the copy maps what the marks of moved subscriptions show: the old customer and payment
 * method of every moved subscriber are known even without the imported table.
 */
export function withMarkedCopies(
  imported: ReadonlyMap<string, CopyMap>,
  { target, sources }: Pick<Live, 'target' | 'sources'>,
): ReadonlyMap<string, CopyMap> {
  const successors = target.subscriptions.filter(({ metadata }) => metadata[markFrom] !== undefined)
  return new Map(
    [...imported].map(([source, map]) => {
      const olds = new Map((sources.get(source)?.subscriptions ?? []).map((one) => [one.id, idOf(one.customer)]))
      const customers = new Map<string, string>()
      const payments = new Map<string, { customer: string; id: string }>()
      for (const { metadata, customer } of successors) {
        const old = olds.get(oldIdOf(metadata[markFrom]))
        if (old === undefined) continue
        customers.set(old, idOf(customer))
        const mark = readPaymentMark(metadata)
        // A card that the member entered replaces the method of this subscription alone.
        if (mark !== undefined && metadata[markCard] !== mark.copy)
          payments.set(mark.old, { customer: idOf(customer), id: mark.copy })
      }
      const whole = {
        customers: new Map([...customers, ...map.customers]),
        payments: new Map([...payments, ...map.payments]),
      }
      return [source, whole] as const
    }),
  )
}

/** The copy map of every source, as imported. */
export async function readCopyMaps({
  store,
  accounts,
}: Pick<Context, 'store' | 'accounts'>): Promise<ReadonlyMap<string, CopyMap>> {
  const maps = new Map<string, CopyMap>()
  for (const source of accounts.sources.keys()) {
    const rows: CopyMapRow[] = []
    for await (const row of store.copyMap(source)) rows.push(row)
    maps.set(source, copyMapOf(rows))
  }
  return maps
}

/** Prices and tax rates that a move uses: they must be active during the move. */
function neededObjects(classified: readonly Classification[]): ReadonlySet<string> {
  const moves = classified.flatMap((one) => (one.outcome === 'move' ? one.plan.steps : []))
  return new Set(moves.flatMap(({ params }) => referencesIn(params)).filter((ref) => /^(price|tax_rate)\./.test(ref)))
}
