import type Stripe from 'stripe'
import { subscriberAddress, subscriberKey, type SubscriberKey } from '../../core/address.ts'
import { formatInstant } from '../../core/instant.ts'
import { explainEnd } from '../../cancel/reasons.ts'
import { targetAccount, type DesiredSubscriber } from '../../catalog/types.ts'
import type { Classification } from '../../handover/types.ts'
import { observeNew, observeOld } from '../../live/observations.ts'
import { readPayment } from '../../live/source.ts'
import { isAlive, successorMark } from '../../live/subscription.ts'
import { idOf } from '../../core/reference.ts'
import { isSubscriber, sidesOf, type Sides } from '../check/sides.ts'
import type { Context } from '../context.ts'
import type { InboxRow, InboxStore } from '../inbox/port.ts'
import { readCopyMaps } from '../plan/survey.ts'
import type { JournalEntry } from '../ports.ts'
import { accessOf } from './access.ts'
import { billingNow, cardFindings, chargeAfterMove, nextCharge } from './charge.ts'
import type { Explained, ExplainedSubscriber } from './document.ts'
import { cardFinding, findingsAbout, nextOf, type PersonFindings } from './findings.ts'
import { findPerson, type Person } from './find-person.ts'
import { subscriptionsIn } from './states.ts'
import { surveyPerson, type PersonSurvey } from './survey-person.ts'

/** More signals about one person than this are no help. */
const signalsMost = 100

/**
 * Explains one person: what the accounts hold, what the YAML wants, which rule decided, what
 * happens next, and what was ever sent. Read-only. Works with an empty store, and then says what
 * only the store would know.
 * @throws CommandError when nobody is found or an account cannot be read
 */
export async function explain(context: Context, inbox: InboxStore, asked: string): Promise<Explained> {
  const person = await findPerson(context, asked, await readCopyMaps(context))
  const surveyed = await surveyPerson(context, person)
  const { live } = surveyed.seen
  const { catalog } = surveyed.context
  const findings = findingsAbout(surveyed)
  const sides = sidesOf(live, catalog.subscribers, catalog.project.name).filter(
    (one) => isSubscriber(one) || person.named.includes(one.key) || one.declared !== undefined,
  )
  const subscribers: ExplainedSubscriber[] = []
  for (const one of named(sides, person)) subscribers.push(await explained(surveyed, one, findings))
  for (const raw of live.target.subscriptions)
    if (successorMark(raw) === undefined && (isAlive(raw) || person.named.includes(keyInTarget(raw))))
      subscribers.push(await madeInTarget(surveyed, raw, findings))
  for (const key of person.named)
    if (!subscribers.some(({ subscriber }) => subscriber === key)) subscribers.push(entryless(key, findings))
  const signals = await signalsOf(person, subscribers, inbox)
  const requests = await requestsOf(context, subscribers, signals)
  return {
    at: formatInstant(live.target.now),
    asked: [...person.named],
    customers: Object.fromEntries([...person.customers].map(([name, ids]) => [name, [...ids]])),
    subscribers,
    subscriptions: [...live.sources.values(), live.target].flatMap(subscriptionsIn),
    access: await accessOf(surveyed, person, context.access, inbox),
    signals: signals.map(signalOf),
    requests: requests.map(requestOf),
    store: await missingIn(context, subscribers, requests),
  }
}

/** The subscriber that was asked about comes first. */
function named(sides: readonly Sides[], { named: asked }: Person): readonly Sides[] {
  const first = new Set<string>(asked)
  return [...sides.filter(({ key }) => first.has(key)), ...sides.filter(({ key }) => !first.has(key))]
}

async function explained(
  { seen, context }: PersonSurvey,
  sides: Sides,
  findings: PersonFindings,
): Promise<ExplainedSubscriber> {
  const one = seen.classified.find(({ key }) => key === sides.key)
  const { declared } = sides
  const billing = billingNow(sides, seen.live)
  const charge = billing === undefined ? null : await nextCharge(context, billing)
  const copyMap = seen.input.copyMaps.get(sides.source)
  const cards = billing === undefined ? [] : await cardFindings(context, sides, billing, copyMap, seen.input.now)
  const found = findings.of(sides.key)
  const fresh = cards.filter(({ code }) => !found.some((other) => other.code === code)).map(cardFinding)
  return {
    subscriber: sides.key,
    outcome: one?.outcome ?? 'undeclared',
    entry: declared === undefined ? null : entryOf(declared),
    decided_by: { rule: ruleOf(one, declared), values: valuesOf(seen, sides, context.catalog.project.policies) },
    findings: [...found, ...fresh],
    next:
      one === undefined
        ? ['Nothing: no subscriber file declares this subscription. `crossbill pull` writes its entry.']
        : nextOf(one, declared?.stage ?? ''),
    charge,
    charge_after_move: one === undefined ? null : chargeAfterMove(one, charge),
    phase: seen.input.remembered.get(sides.key)?.phase ?? null,
  }
}

function keyInTarget({ id }: Stripe.Subscription): SubscriberKey {
  return subscriberKey(targetAccount, id)
}

/** A subscription that the target sold itself: nothing moves it. */
async function madeInTarget(
  { seen, context }: PersonSurvey,
  raw: Stripe.Subscription,
  findings: PersonFindings,
): Promise<ExplainedSubscriber> {
  const key = keyInTarget(raw)
  const charge = isAlive(raw) ? await nextCharge(context, { raw, account: seen.live.target }) : null
  return {
    ...entryless(key, findings),
    outcome: 'made_in_target',
    decided_by: { rule: 'it has no mark of a move: the target made it', values: {} },
    next: ['Nothing: the target made this subscription and bills it. No plan moves it.'],
    charge,
  }
}

/** An entry with an error, or a subscription that no account shows. */
function entryless(key: string, findings: PersonFindings): ExplainedSubscriber {
  const found = findings.of(key)
  return {
    subscriber: key,
    outcome: found.length === 0 ? 'undeclared' : 'blocked',
    entry: null,
    decided_by: { rule: 'the entry cannot be used, or no account shows the subscription', values: {} },
    findings: found,
    next: found.map(({ fix }) => fix),
    charge: null,
    charge_after_move: null,
    phase: null,
  }
}

function entryOf({ file, at, stage, excluded, override }: DesiredSubscriber): ExplainedSubscriber['entry'] {
  return { file, line: at.line, stage, excluded: excluded ?? null, override: [...(override ?? [])] }
}

/** The cell of the table in `handover/classify.ts`. */
function ruleOf(one: Classification | undefined, declared: DesiredSubscriber | undefined): string {
  if (one === undefined || declared === undefined)
    return 'no entry: every live subscription must be declared or excluded'
  if (declared.excluded !== undefined) return `excluded, and the subscriber stands at ${one.standing}`
  return `stage ${declared.stage}, and the subscriber stands at ${one.standing}`
}

/** The values that the decision saw, by name. */
function valuesOf(
  { live, input }: PersonSurvey['seen'],
  { old, successors, source }: Sides,
  policies: object,
): Record<string, string> {
  const account = live.sources.get(source)
  const customer = old === undefined ? undefined : idOf(old.customer)
  const payment = old === undefined ? null : readPayment(old, account?.customers.get(customer ?? ''))
  const map = input.copyMaps.get(source)
  const copied = customer === undefined ? undefined : map?.customers.get(customer)
  const copy = payment === null ? undefined : map?.payments.get(payment.id)?.id
  return {
    now: formatInstant(input.now),
    old_subscription: old === undefined ? 'not in the account' : observeOld(old),
    new_subscription: observeNew(successors, old),
    ...(customer === undefined ? {} : { customer: `${customer} → ${copied ?? 'no row in the copy map'}` }),
    ...(payment === null ? {} : { payment_method: `${payment.id} → ${copy ?? 'no row in the copy map'}` }),
    ...Object.fromEntries(Object.entries(policies).map(([name, value]) => [`policies.${name}`, String(value)])),
  }
}

async function signalsOf(
  { customers }: Person,
  subscribers: readonly ExplainedSubscriber[],
  inbox: InboxStore,
): Promise<readonly InboxRow[]> {
  const ids = [...new Set([...customers.values()].flat())]
  const found = [
    ...(await Promise.all(ids.map(async (customer) => inbox.about({ customer }, signalsMost)))),
    ...(await Promise.all(subscribers.map(async ({ subscriber }) => inbox.naming(subscriber, signalsMost)))),
    ...(await contactSignals(ids, inbox)),
  ]
  const rows = [...new Map(found.flat().map((row) => [row.id, row])).values()]
  return rows.toSorted((a, b) => b.acceptedAt - a.acceptedAt || (a.id < b.id ? -1 : 1)).slice(0, signalsMost)
}

/** Hooks name the contact alone, which a grant binds to the customer. */
async function contactSignals(
  customers: readonly string[],
  inbox: InboxStore,
): Promise<readonly (readonly InboxRow[])[]> {
  const grants = (await Promise.all(customers.map(async (customer) => inbox.grants({ customer })))).flat()
  const contacts = new Set(grants.map(({ contact }) => contact))
  return await Promise.all([...contacts].map(async (contact) => inbox.about({ contact }, signalsMost)))
}

function signalOf({ id, signal, now, acceptedAt }: InboxRow): Explained['signals'][number] {
  const reason = 'reason' in now ? now.reason : ''
  const end = explainEnd({ id, state: now.state, reason })
  return {
    id,
    accepted: formatInstant(acceptedAt),
    from: `${signal.source} ${signal.event}`,
    state: now.state,
    reason,
    means: end?.means ?? '',
    next: end === undefined ? '' : `${end.next}${end.command === '' ? '' : ` (${end.command})`}`,
  }
}

async function requestsOf(
  { store }: Context,
  subscribers: readonly ExplainedSubscriber[],
  signals: readonly InboxRow[],
): Promise<readonly JournalEntry[]> {
  const addresses = [
    ...subscribers.map(({ subscriber }) => subscriberAddress(subscriber)),
    ...signals.map(({ id }) => `inbox.${id}`),
  ]
  const found = await Promise.all(addresses.map(async (address) => store.journal({ address })))
  return found.flat().toSorted((a, b) => a.id - b.id)
}

function requestOf(entry: JournalEntry): Explained['requests'][number] {
  const { failure } = entry
  const message = failure === null ? null : failure['message']
  return {
    at: formatInstant(entry.startedAt),
    account: entry.account,
    step: entry.step,
    method: entry.method,
    path: entry.path,
    params: entry.params,
    status: entry.status,
    result: entry.result,
    request_id: entry.requestId,
    failure: typeof message === 'string' ? message : null,
    run: entry.run,
  }
}

/** Marks show where a person stands, and only the store shows what was sent and received. */
async function missingIn(
  { store }: Context,
  subscribers: readonly ExplainedSubscriber[],
  requests: readonly JournalEntry[],
): Promise<string[]> {
  const isMoved = subscribers.some(({ decided_by: { values } }) => values['new_subscription'] !== 'none')
  if (requests.length > 0 || !isMoved) return []
  const known = await Promise.all(subscribers.map(async ({ subscriber }) => store.subscriber(subscriber)))
  if (known.some((one) => one !== undefined) && (await store.journal({ limit: 1 })).length > 0) return []
  return [
    'This store has no record of what was sent for this person: it is new, or another machine did the work.',
    'Where the person stands is shown by the marks on the live objects and needs no store. Only the store that did the work knows the requests with Stripe’s ids, the cancel signals, and when access was granted.',
    'Ask on the machine that ran `crossbill apply` and `crossbill serve`, or look in Stripe’s Dashboard under Developers, Logs, by the ids above.',
  ]
}
