import { splitAddress, subscriberAddress, type Address } from '../../core/address.ts'
import { isJsonObject } from '../../core/json.ts'
import type { AppliedChange } from '../send/applied.ts'
import type { Context } from '../context.ts'
import { jobOf } from '../handover/job.ts'
import { beginRun, isUnfinished, recoveryRecord, resume } from '../handover/hand-over.ts'
import { applyLease, withLease, type Held } from '../lease.ts'
import { perform, type Work } from '../send/perform.ts'
import type { JournalEntry } from '../ports.ts'
import { findCreated } from '../read/resources.ts'
import { isCreation } from '../send/creation.ts'
import { kindNamed } from '../../kinds/registry.ts'
import { keepSecret } from './resources.ts'
import { sideBySide } from '../side-by-side.ts'
import { noteIdentities } from './prove-done.ts'
import type { Survey } from '../plan/survey.ts'

const customersAtATime = 16

/**
 * Finishes or undoes what an earlier run left unfinished, and finds the outcome of requests that no
 * run recorded. `apply` begins with it; `serve` runs it from time to time.
 */
export async function recover(context: Context): Promise<readonly AppliedChange[]> {
  return withLease(context, applyLease, (held, bound) => recoverHeld(bound, held))
}

export async function recoverHeld(context: Context, held: Held): Promise<readonly AppliedChange[]> {
  await closeOpenRequests(context)
  const recovered = await recoverSubscribers(context, held)
  await closeSettledRequests(context)
  return recovered
}

/** Closes open requests of subscribers at rest: their hand-over has read both sides since. */
async function closeSettledRequests(context: Context): Promise<void> {
  const unfinished = new Set(
    (await context.store.subscribers()).filter(isUnfinished).map(({ key }) => subscriberAddress(key)),
  )
  for (const entry of await context.store.journalOpen())
    if (entry.address.startsWith('subscriber.') && !unfinished.has(entry.address as Address))
      await context.store.journalEnd(entry.id, { status: 'abandoned', at: context.accounts.target.now() })
}

async function recoverSubscribers(context: Context, held: Held): Promise<readonly AppliedChange[]> {
  const open = (await context.store.subscribers()).filter(isUnfinished)
  if (open.length === 0) return []
  context.progress.start('finishing earlier work', open.length)
  const results = new Map<string, AppliedChange>()
  const run = await beginRun(context)
  await sideBySide(Map.groupBy(open, queueOf).values(), customersAtATime, async (record) => {
    if (context.interrupt.requested || held.lost) return false
    results.set(record.key, await resume(context, record, run))
    context.progress.step()
    return !run.unexpectedCharge
  })
  context.progress.done()
  return open.flatMap(({ key }) => results.get(key) ?? [])
}

/**
 * Finishes or undoes hand-overs that the live objects show half done and the store does not know:
 * it was lost, or a person removed a hold. The objects decide.
 */
export async function recoverLost(context: Context, held: Held, seen: Survey): Promise<readonly AppliedChange[]> {
  const known = new Set((await context.store.subscribers()).filter(isUnfinished).map(({ key }) => key))
  const lost = seen.classified.filter(({ key, recovery }) => recovery !== undefined && !known.has(key))
  if (lost.length === 0) return []
  await noteIdentities(context, seen)
  for (const { key, recovery } of lost)
    if (recovery !== undefined)
      await context.store.putSubscribers([recoveryRecord(key, recovery, context.accounts.target.now())])
  return recoverSubscribers(context, held)
}

/** Subscribers of one customer are processed one after the other. */
function queueOf({ key, facts }: Parameters<typeof isUnfinished>[0]): string {
  const job = jobOf(facts)
  if ('problem' in job) return key
  const { source, customer_old: customer } = job.value.handover.expect
  return `${source}/${customer}`
}

/**
 * Closes open requests about catalog objects: a created object is recorded, a missing one is given
 * up (a new plan creates it). Requests about subscribers belong to their hand-over, which reads
 * both sides anyway. Requests of the inbox belong to its worker, which may be sending them now.
 */
async function closeOpenRequests(context: Context): Promise<void> {
  const open = await context.store.journalOpen()
  for (const entry of open) if (isResource(context, entry)) await closeOne(context, entry)
}

function isResource(context: Context, entry: JournalEntry): boolean {
  const other = ['subscriber.', 'inbox.'].some((kind) => entry.address.startsWith(kind))
  return entry.account === context.accounts.target.name && !other
}

async function closeOne(context: Context, entry: JournalEntry): Promise<void> {
  const at = context.accounts.target.now()
  if (!isCreation(entry)) return context.store.journalEnd(entry.id, { status: 'abandoned', at })
  const known = (await context.store.objects()).find((one) => one.address === entry.address)
  const found = await findCreated(context, entry.address, known?.id)
  if (!found.ok) return
  if (found.value?.id === undefined) return context.store.journalEnd(entry.id, { status: 'abandoned', at })
  const sink = secretSinkOf(context, entry.address)
  if (sink !== undefined) return learnSecret(context, entry, sink)
  await context.store.journalEnd(entry.id, { status: 'succeeded', result: found.value.id, at })
}

function secretSinkOf({ catalog }: Context, at: string): ReturnType<typeof asSink> {
  const name = kindNamed(splitAddress(at).kind)?.secretTo
  return name === undefined ? undefined : asSink(catalog.resources.find((one) => one.address === at)?.value[name])
}

function asSink(value: unknown) {
  return isJsonObject(value) ? value : undefined
}

/**
 * The endpoint exists, but its secret was lost with the run. Repeated under the same key, the
 * request gets Stripe's original answer.
 */
async function learnSecret(
  context: Context,
  entry: JournalEntry,
  sink: NonNullable<ReturnType<typeof asSink>>,
): Promise<void> {
  let told = false
  const work: Work = {
    address: entry.address,
    step: entry.step,
    account: context.accounts.target,
    method: 'POST',
    path: entry.path,
    params: entry.params,
    key: stemOf(entry),
    find: () => findCreated(context, entry.address, undefined),
    async keep(answer) {
      told = await keepSecret(context, sink, { address: entry.address, answer })
    },
  }
  const outcome = await perform(context, work)
  if (outcome.ok && !told)
    context.progress.note(
      `${entry.address} exists, but Stripe no longer shows its signing secret: roll it in the Dashboard and store it where secret_to names`,
    )
}

/** The plan's key, without the number that later attempts append. */
function stemOf({ idempotencyKey, attempt }: JournalEntry): string {
  return attempt === 1 ? idempotencyKey : idempotencyKey.slice(0, -`-${attempt}`.length)
}
