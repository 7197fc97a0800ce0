import { catalogIds } from '../send/catalog-ids.ts'
import type { JsonObject, StripeObject } from '../../core/json.ts'
import { type Failure, type Outcome, success } from '../../core/outcome.ts'
import type { ResourceChange, Step } from '../../plan/types.ts'
import type { AppliedChange } from '../send/applied.ts'
import type { Context } from '../context.ts'
import type { Held } from '../lease.ts'
import { kindNamed } from '../../kinds/registry.ts'
import { splitAddress } from '../../core/address.ts'
import { perform, read, type Work } from '../send/perform.ts'
import { findCreated, findPart } from '../read/resources.ts'
import { inDependencyOrder } from './in-order.ts'
import { putBack, putBackStep } from './put-back.ts'
import { stepKey } from './step-key.ts'
import { isCreation } from '../send/creation.ts'
import { fillParams, fillPath } from '../send/references.ts'
import { referencesInPath } from '../../plan/references.ts'
import { unfinished } from '../../plan/resources/change.ts'

/**
 * Sends the resource changes, independent ones in parallel, each after those that it depends on.
 * When a change fails, the changes that refer to it end `not_started`; the others continue.
 */
export async function applyResources(
  context: Context,
  changes: readonly ResourceChange[],
  held: Held,
): Promise<readonly AppliedChange[]> {
  const ids = await catalogIds(context)
  const others = completedByOthers(changes)
  return inDependencyOrder(changes, async (change): Promise<AppliedChange> => {
    const { address, action } = change
    if (context.interrupt.requested || held.lost) return { address, action, outcome: 'not_started' }
    const result = await applyResource(context, change, { ids, isCompleted: !others.has(address) })
    context.progress.step()
    return result
  })
}

/**
 * The objects that a later request of another change completes: a new product gets its default
 * price from the change of the price.
 */
function completedByOthers(changes: readonly ResourceChange[]): ReadonlySet<string> {
  return new Set(
    changes.flatMap(({ address, steps }) =>
      steps.flatMap(({ path }) => referencesInPath(path)).filter((one) => one !== address),
    ),
  )
}

async function applyResource(
  context: Context,
  change: ResourceChange,
  { ids, isCompleted }: { readonly ids: Map<string, string>; readonly isCompleted: boolean },
): Promise<AppliedChange> {
  const { address, action } = change
  const earlier = ids.get(address)
  const done: Step[] = []
  let subject: string | undefined
  for (const step of change.steps) {
    const filled = fillStep(step, (ref) => ids.get(ref))
    if (!filled.ok) {
      const message = `it refers to ${filled.missing.join(', ')}, which does not exist`
      return {
        address,
        action,
        outcome: 'not_started',
        code: 'reference_missing',
        message,
        fix: 'fix that first, then run crossbill apply again',
      }
    }
    const before = await doneBefore(context, change, step, filled.value.params)
    const find = (): ReturnType<typeof findCreated> =>
      isPart(step) ? findPart(context.accounts.target, filled.value) : findCreated(context, address, earlier)
    let isKept = false
    const onSecret = (kept: boolean): void => {
      isKept = kept
    }
    const work = workOf(context, { change, step, filled: filled.value, find, onSecret })
    const outcome = before ?? (await perform(context, work))
    // An object to delete that is already missing counts as deleted.
    const gone = step.method === 'DELETE' && !outcome.ok && outcome.failure.code === 'resource_missing'
    if (!outcome.ok && gone) continue
    if (!outcome.ok) return failedAt(context, change, { step, done, failure: outcome.failure })
    done.push(step)
    if (isSubject(step, change) && outcome.value.id !== undefined) {
      subject = outcome.value.id
      ids.set(address, subject)
      // Until its last request is done, the object lacks what the entry says by our own doing.
      await remember(context, change, subject, unfinished)
    }
    // Found by reading instead of by its answer, the object exists and its secret is unknown.
    const isLost = step.secret_to !== undefined && before === undefined && !isKept
    if (isLost) return { address, action, outcome: 'failed', ...secretNotReturned(address) }
  }
  if (action === 'retire') await forget(context, change, earlier)
  else if (isCompleted && subject !== undefined) await remember(context, change, subject, change.expect.applied)
  return { address, action, outcome: 'done' }
}

/**
 * Reports a failed step. The object that this change took out of use before it is taken back when
 * its successor was certainly not created.
 */
async function failedAt(
  context: Context,
  change: ResourceChange,
  { step, done, failure }: { readonly step: Step; readonly done: readonly Step[]; readonly failure: Failure },
): Promise<AppliedChange> {
  const { address, action } = change
  const failed = { address, action, outcome: 'failed', code: failure.code } as const
  const message = `${step.id}: ${failure.message}`
  const again = 'plan again to see what is left to do'
  const retired = done.find(({ id }) => id.startsWith('retire:'))
  if (action !== 'replace' || retired === undefined || !isCreation(step)) return { ...failed, message, fix: again }
  const isRefused = failure.kind === 'rejected' || failure.kind === 'conflict'
  const back = isRefused ? await putBack(context, change, done) : undefined
  if (back?.isBack === true)
    return { ...failed, message: `${message}. ${back.said}`, fix: 'correct the entry, then plan again' }
  // It is out of use by this run, so a later plan must not call that a change by others.
  await forgetForm(context, address)
  const said = back?.said ?? `${retired.id.slice('retire:'.length)} is out of use until the new one is created`
  const fix = isRefused
    ? 'correct the entry and run crossbill apply at once: until then nothing stands for it'
    : 'run crossbill apply again at once: until then nothing stands for it'
  return { ...failed, message: `${message}. ${said}`, fix }
}

async function forgetForm({ store }: Context, address: string): Promise<void> {
  const known = (await store.objects()).find((one) => one.address === address)
  if (known !== undefined) await store.putObjects([{ ...known, applied: null }])
}

/**
 * Skips what an earlier run of this plan finished: Stripe forgets keys after a day, but the journal
 * keeps them. A creation's key outlives its plan, so the created object must still be in use.
 */
async function doneBefore(
  context: Context,
  change: ResourceChange,
  step: Step,
  params: JsonObject,
): Promise<Outcome<StripeObject> | undefined> {
  const key = stepKey(context.catalog.project.name, change, step, params)
  const entries = await context.store.journal({ address: change.address })
  const entry = entries.findLast((one) => one.status === 'succeeded' && one.idempotencyKey.startsWith(key))
  if (entry === undefined || entries.some(({ id, step: later }) => id > entry.id && later === putBackStep))
    return undefined
  if (isCreation(step) && !(await isInUse(context, change.address, `${step.path}/${entry.result ?? ''}`)))
    return undefined
  return success({ object: 'recorded', ...(entry.result === null ? {} : { id: entry.result }) })
}

async function isInUse(context: Context, address: string, path: string): Promise<boolean> {
  const found = await read(context, context.accounts.target, path)
  const kind = kindNamed(splitAddress(address).kind)
  return found.ok && found.value['deleted'] !== true && kind?.retired(found.value) !== true
}

/**
 * Removes the address from the store when the retired object stood for it. An older object, left
 * over from a replacement, did not.
 */
async function forget(
  context: Context,
  { address, steps }: ResourceChange,
  recorded: string | undefined,
): Promise<void> {
  if (recorded !== undefined && steps.some(({ path }) => path.endsWith(`/${recorded}`)))
    await context.store.removeObjects([address])
}

function secretNotReturned(address: string): Pick<AppliedChange, 'code' | 'message' | 'fix'> {
  const { kind, key } = splitAddress(address)
  const again = kind === 'webhook_endpoint' ? `run crossbill webhooks rotate ${key}, which stores another one, or ` : ''
  return {
    code: 'secret_not_returned',
    message: 'it was created, but Stripe did not return its signing secret, so none was stored',
    fix: `${again}roll the secret in the Dashboard and store it where secret_to names`,
  }
}

interface Filled {
  readonly path: string
  readonly params: JsonObject
}

function fillStep(
  step: Step,
  resolve: (address: string) => string | undefined,
): { readonly ok: true; readonly value: Filled } | { readonly ok: false; readonly missing: readonly string[] } {
  const path = fillPath(step.path, resolve)
  const params = fillParams(step.params, resolve)
  if (path.ok && params.ok) return { ok: true, value: { path: path.value, params: params.value } }
  return { ok: false, missing: [...(path.ok ? [] : path.missing), ...(params.ok ? [] : params.missing)] }
}

function workOf(
  context: Context,
  {
    change,
    step,
    filled,
    find,
    onSecret,
  }: {
    change: ResourceChange
    step: Step
    filled: Filled
    find: NonNullable<Work['find']>
    onSecret: (isKept: boolean) => void
  },
): Work {
  const { secret_to: sink } = step
  return {
    address: change.address,
    step: step.id,
    account: context.accounts.target,
    method: step.method,
    path: filled.path,
    params: step.params,
    filled: filled.params,
    key: stepKey(context.catalog.project.name, change, step, filled.params),
    ...(isCreation(step) || (isPart(step) && step.method === 'POST') ? { find } : {}),
    ...(sink === undefined
      ? {}
      : {
          keep: async (answer: StripeObject) =>
            onSecret(await keepSecret(context, sink, { address: change.address, answer })),
        }),
  }
}

/** A request about an object below the one that the address stands for. */
function isPart({ id }: Step): boolean {
  return /^(?:attach|detach):/.test(id)
}

/** Whether this step returns the object that the address stands for. */
function isSubject(step: Step, change: ResourceChange): boolean {
  if (change.action === 'retire' || isPart(step)) return false
  const { steps } = change
  if (steps.some((one) => one.id === 'create')) return step.id === 'create'
  return step === steps.find(({ id }) => !/^(?:retire|unmark|item|rates):/.test(id))
}

/** Stores the secret of a created object; false when the answer holds none. */
export async function keepSecret(
  context: Context,
  sink: JsonObject,
  { address, answer }: { readonly address: string; readonly answer: StripeObject },
): Promise<boolean> {
  const kind = kindNamed(splitAddress(address).kind)
  const secret = kind?.secretIn === undefined ? answer['secret'] : kind.secretIn(answer)
  if (typeof secret !== 'string') return false
  await context.sink.write(sink, secret)
  return true
}

async function remember(
  context: Context,
  { address }: ResourceChange,
  id: string,
  applied: string | undefined,
): Promise<void> {
  const record = { address, account: context.accounts.target.name, id }
  await context.store.putObjects([{ ...record, applied: applied ?? null }])
}
