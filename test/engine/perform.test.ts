import { afterEach, beforeEach, expect, test } from 'vitest'
import { instant } from '../../src/core/instant.ts'
import type { StripeObject } from '../../src/core/json.ts'
import { failed, type Failure, type Outcome, success } from '../../src/core/outcome.ts'
import { quietSeconds } from '../../src/handover/events.ts'
import { perform, type Work } from '../../src/engine/send/perform.ts'
import type { Store, StripeAccount, StripeRequest } from '../../src/engine/ports.ts'
import { openStore } from '../../src/store/open.ts'

let store: Store
beforeEach(async () => {
  store = await openStore({ file: ':memory:' })
})
afterEach(() => store.close())

const made: StripeObject = { object: 'price', id: 'price_1' }
const cut: Failure = { kind: 'unknown', code: 'connection_cut', message: 'cut', status: 0 }
const serverError: Failure = { kind: 'unknown', code: 'api_error', message: 'oops', status: 500 }
const busy: Failure = { kind: 'retryable', code: 'lock_timeout', message: 'locked', status: 429, retryAfter: 7 }
const refused: Failure = { kind: 'rejected', code: 'parameter_missing', message: 'no currency', status: 400 }

class Killed extends Error {}

/** An account that answers by a script and records its requests. */
function scripted(answers: readonly (Outcome<StripeObject> | Killed)[]) {
  const sent: StripeRequest[] = []
  const clock = { now: 1_000_000 }
  const account: StripeAccount = {
    name: 'target',
    id: 'acct_1',
    livemode: false,
    apiVersion: '2026-10-28.endive',
    now: () => instant(clock.now),
    present: () => Promise.resolve(instant(clock.now)),
    retrieve: () => Promise.reject(new Error('not asked for')),
    look: () => Promise.reject(new Error('not asked for')),
    async *list() {},
    async send(request) {
      const answer = answers[sent.length]
      sent.push(request)
      if (answer === undefined) throw new Error('the script has no further answer')
      if (answer instanceof Killed) throw answer
      return answer
    },
  }
  return { account, sent, clock, keys: () => sent.map((one) => one.idempotencyKey) }
}

function work(account: StripeAccount, find: Work['find'], extra: Partial<Work> = {}): Work {
  const params = { currency: 'usd', product: { $ref: 'product.p' } }
  const base = {
    address: 'price.x',
    step: 'create',
    account,
    method: 'POST',
    path: '/v1/prices',
    params,
    key: 'k',
  } as const
  return { ...base, ...(find === undefined ? {} : { find }), ...extra }
}

function context() {
  const waits: number[] = []
  const wait = async (seconds: number): Promise<void> => void waits.push(seconds)
  return { waits, context: { store, interrupt: { requested: false }, run: 'r', wait } }
}

const absent = async () => success(undefined)

test('a request is in the journal as started, durably, before it is sent', async () => {
  const { account } = scripted([success(made)])
  const seen: string[] = []
  const watched = {
    ...account,
    async send(request: StripeRequest) {
      seen.push(...(await store.journalOpen()).map((entry) => `${entry.step} ${entry.status}`))
      return account.send(request)
    },
  }
  await perform(context().context, work(watched, absent))
  expect(seen).toEqual(['create started'])
  const [entry] = await store.journal()
  expect(entry).toMatchObject({ status: 'succeeded', result: 'price_1', attempt: 1, idempotencyKey: 'k' })
})

test('the journal keeps the planned parameters; the sent ones are complete', async () => {
  const { account, sent } = scripted([success(made)])
  await perform(context().context, work(account, absent, { filled: { currency: 'usd', product: 'prod_1' } }))
  expect(sent[0]?.params).toEqual({ currency: 'usd', product: 'prod_1' })
  expect((await store.journal())[0]?.params).toEqual({ currency: 'usd', product: { $ref: 'product.p' } })
})

test('an unexecuted request is sent again under the same key after the requested wait', async () => {
  const { account, keys } = scripted([failed(busy), failed(busy), success(made)])
  const { context: ctx, waits } = context()
  expect(await perform(ctx, work(account, absent))).toEqual(success(made))
  expect(keys()).toEqual(['k', 'k', 'k'])
  expect(waits).toEqual([7, 7])
})

test('a refusal is final for the step; another try is a new attempt', async () => {
  const { account, keys } = scripted([failed(refused), success(made)])
  expect(await perform(context().context, work(account, absent))).toEqual(failed(refused))
  expect(await perform(context().context, work(account, absent))).toEqual(success(made))
  expect(keys()).toEqual(['k', 'k-2'])
})

test('after a cut connection the look-up decides, and an existing object is not created twice', async () => {
  const { account, keys } = scripted([failed(cut)])
  expect(
    await perform(
      context().context,
      work(account, async () => success(made)),
    ),
  ).toEqual(success(made))
  expect(keys()).toEqual(['k'])
  expect((await store.journal()).map((entry) => [entry.status, entry.result])).toEqual([['succeeded', 'price_1']])
})

test('a cut request without a result is repeated under its own key, since it may still be in progress', async () => {
  const { account, keys } = scripted([failed(cut), success(made)])
  expect(await perform(context().context, work(account, absent))).toEqual(success(made))
  expect(keys()).toEqual(['k', 'k'])
  expect((await store.journal()).map((entry) => entry.status)).toEqual(['abandoned', 'succeeded'])
})

test('promise 11: a creation answered by 5xx keeps its key while it may still be committed, and then gets another one', async () => {
  const { account, keys, clock } = scripted([...Array.from({ length: 5 }, () => failed(serverError)), success(made)])
  expect(await perform(context().context, work(account, absent))).toMatchObject({ failure: { kind: 'unknown' } })
  clock.now += quietSeconds - 1
  const again = scripted([success(made)])
  await perform(context().context, work({ ...again.account, now: () => account.now() }, absent))
  expect([...keys(), ...again.keys()]).toEqual(['k', 'k', 'k', 'k', 'k'])
})

test('promise 11: after the quiet time a missing object is created under another key', async () => {
  const { account, keys, clock } = scripted([...Array.from({ length: 4 }, () => failed(serverError)), success(made)])
  await perform(context().context, work(account, absent))
  clock.now += quietSeconds
  await perform(context().context, work(account, absent))
  expect(keys()).toEqual(['k', 'k', 'k', 'k', 'k-2'])
})

test('promise 5: a creation whose run was killed keeps its key after the quiet time, because a stopped run may still use it', async () => {
  const { account, keys, clock } = scripted([new Killed(), success(made)])
  await expect(perform(context().context, work(account, absent))).rejects.toThrow(Killed)
  clock.now += quietSeconds
  await perform(context().context, work(account, absent))
  expect(keys()).toEqual(['k', 'k'])
})

test('a stored 5xx is final: a missing object is created at once under another key, except in a hand-over', async () => {
  const stored: Failure = { ...serverError, isReplayed: true }
  const answers = [failed(serverError), failed(stored), success(made)]
  const { account, keys } = scripted(answers)
  expect(await perform(context().context, work(account, absent))).toEqual(success(made))
  expect(keys()).toEqual(['k', 'k', 'k-2'])
  const moved = scripted(answers)
  const inHandOver = { key: 'h', shutAt: '/v1/customers/cus_1' }
  await perform(context().context, work(moved.account, absent, inHandOver))
  expect(moved.keys()).toEqual(['h', 'h', 'h'])
})

test('promise 11: a key that other runs rely on is never replaced', async () => {
  const { account, keys, clock } = scripted([failed(refused), failed(serverError), success(made), success(made)])
  for (let n = 0; n < 3; n++) {
    await perform(context().context, work(account, absent, { oneKey: true }))
    clock.now += 2 * 86_400
  }
  expect(keys()).toEqual(['k', 'k', 'k', 'k'])
})

test('promise 11: before a harmless request gets another key, the earlier key is made unusable', async () => {
  const { account, sent } = scripted([failed(serverError), success(made), success(made)])
  await perform(context().context, work(account, undefined, { shutAt: '/v1/customers/cus_1' }))
  expect(sent.map(({ path, idempotencyKey }) => [path, idempotencyKey])).toEqual([
    ['/v1/prices', 'k'],
    ['/v1/customers/cus_1', 'k'],
    ['/v1/prices', 'k-2'],
  ])
})

test.each([
  ['idempotency_error', 400, true],
  ['resource_missing', 404, true],
  ['more_permissions_required', 403, false],
  ['api_key_expired', 401, false],
  ['parameter_unknown', 400, false],
] as const)(
  'promise 11: %s (%i) as the answer that should use up a key: proves it is %s',
  async (code, status, isProof) => {
    const answer: Failure = { kind: 'rejected', code, message: code, status }
    const { account, keys } = scripted([failed(serverError), failed(answer), success(made)])
    const outcome = await perform(context().context, work(account, undefined, { shutAt: '/v1/customers/cus_1' }))
    expect(keys()).toEqual(isProof ? ['k', 'k', 'k-2'] : ['k', 'k'])
    expect(outcome.ok ? 'done' : outcome.failure.kind).toBe(isProof ? 'done' : 'unknown')
  },
)

test('when the look-up fails, nothing more is sent and the entry stays open', async () => {
  const { account, sent } = scripted([failed(cut)])
  const result = await perform(
    context().context,
    work(account, async () => failed(serverError)),
  )
  expect(result).toMatchObject({ ok: false, failure: { kind: 'unknown' } })
  expect(sent).toHaveLength(1)
  expect((await store.journalOpen()).map((entry) => entry.status)).toEqual(['unknown'])
})

test.each([
  ['was sent', success(made), 1],
  ['was not sent', success(undefined), 2],
])('after a kill where the request %s, the next run makes exactly one object', async (_, found, sends) => {
  const { account, sent, keys } = scripted([new Killed(), success(made)])
  await expect(perform(context().context, work(account, absent))).rejects.toThrow(Killed)
  expect(
    await perform(
      context().context,
      work(account, async () => found),
    ),
  ).toEqual(success(made))
  expect(sent).toHaveLength(sends)
  expect(new Set(keys())).toEqual(new Set(['k']))
  expect(await store.journalOpen()).toEqual([])
})

test('a harmless request is executed again under a new key, never replayed', async () => {
  const { account, keys } = scripted([success(made), new Killed(), success(made)])
  await perform(context().context, work(account, undefined))
  await expect(perform(context().context, work(account, undefined))).rejects.toThrow(Killed)
  await perform(context().context, work(account, undefined))
  expect(keys()).toEqual(['k', 'k-2', 'k-3'])
})

test('an object that was removed since is created again, an existing one is not', async () => {
  const { account, keys } = scripted([success(made), success({ ...made, id: 'price_2' })])
  await perform(context().context, work(account, absent))
  expect(
    await perform(
      context().context,
      work(account, async () => success(made)),
    ),
  ).toEqual(success(made))
  expect(await perform(context().context, work(account, absent))).toMatchObject({ value: { id: 'price_2' } })
  expect(keys()).toEqual(['k', 'k-2'])
})

test('a key that Stripe no longer remembers is not used again', async () => {
  const { account, keys, clock } = scripted([new Killed(), success(made)])
  await expect(perform(context().context, work(account, absent))).rejects.toThrow(Killed)
  clock.now += 2 * 86_400
  await perform(context().context, work(account, absent))
  expect(keys()).toEqual(['k', 'k-2'])
})

test('a secret that Stripe shows once reaches its sink even when the run dies before it is written', async () => {
  const secret: StripeObject = { object: 'webhook_endpoint', id: 'we_1', secret: 'whsec_1' }
  const { account, keys } = scripted([success(secret), success(secret)])
  const found = async () => success<StripeObject | undefined>({ object: 'webhook_endpoint', id: 'we_1' })
  const dies = async () => {
    throw new Killed()
  }
  await expect(perform(context().context, work(account, found, { keep: dies }))).rejects.toThrow(Killed)
  const kept: unknown[] = []
  const keep = async (answer: StripeObject) => void kept.push(answer['secret'])
  await perform(context().context, work(account, found, { keep }))
  expect(kept).toEqual(['whsec_1'])
  expect(keys()).toEqual(['k', 'k'])
  expect(JSON.stringify(await store.journal())).not.toContain('whsec_1')
})

const inUse: Failure = {
  kind: 'conflict',
  code: 'idempotency_key_in_use',
  message: 'There is currently another in-progress request using this Idempotent Key.',
  status: 409,
}

test('nobody charged twice: "key in use" after a late 504 changes no key, and what was committed since is found', async () => {
  const { account, clock, keys } = scripted([failed(serverError), ...Array(8).fill(failed(inUse)), success(made)])
  let committed = false
  const find = async () => success(committed ? made : undefined)
  const { context: ctx } = context()
  expect(await perform(ctx, work(account, find))).toEqual(failed(inUse))
  // A later step of the same run, before the quiet period is over: the same key.
  const before = keys().length
  expect(new Set(keys())).toEqual(new Set(['k']))
  // The request that was answered 504 is committed, and the quiet period passes.
  committed = true
  clock.now += quietSeconds
  expect(await perform(ctx, work(account, find))).toEqual(success(made))
  expect(keys()).toHaveLength(before)
})

test('nobody charged twice: a refusal after an uncertain answer keeps the key until the quiet period is over', async () => {
  const { account, clock, keys } = scripted([failed(serverError), failed(refused), failed(refused), success(made)])
  const { context: ctx } = context()
  expect(await perform(ctx, work(account, absent))).toEqual(failed(refused))
  expect(await perform(ctx, work(account, absent))).toEqual(failed(refused))
  expect(keys()).toEqual(['k', 'k', 'k'])
  clock.now += quietSeconds
  expect(await perform(ctx, work(account, absent))).toEqual(success(made))
  expect(keys()).toEqual(['k', 'k', 'k', 'k-2'])
})
