import { apply } from '../../src/engine/apply/apply.ts'
import type { Context } from '../../src/engine/context.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import { guardNames } from '../../src/catalog/guards.ts'
import { Limiter } from '../../src/sandbox/kernel/limits.ts'
import { openStore } from '../../src/store/open.ts'
import { connectAccount } from '../../src/stripe/account.ts'
import { operationName, stripeRates } from '../../src/stripe/limits.ts'
import { openSchool, type School } from '../engine/school.ts'
import { VirtualTime } from '../stripe/virtual-time.ts'
import { committing } from './committing.ts'
import type { Figure } from './figure.ts'

/** A wave of two accounts is twice as large. */
const subscribers = 1_200
const sources = ['us', 'intl'] as const
type Source = (typeof sources)[number]
/** Moves a second: two updates of each old subscription bound a source at 12. */
const least = { one: 11, two: 20 }
const callMilliseconds = 300
const allowed = { global: 100, endpoint: 25 }

/**
 * A wave of one account, and one of two, against a Stripe with delays and rate limits: the limit of
 * the busiest operation, not the delays, should determine the speed. The clock is virtual.
 */
export async function move(): Promise<Figure[]> {
  return [await moving(['us'], least.one), await moving(sources, least.two)]
}

async function moving(from: readonly Source[], atLeast: number): Promise<Figure> {
  await using school = await openSchool(subscribers * from.length)
  const time = new VirtualTime()
  const watched = watch(school, time)
  const context = await slowed(school, { from, watched, time })
  // First the catalog, without delays: only the moves are counted.
  await apply(context('source'), await makePlan(context('source')), { allow: guardNames })
  watched.counting = true
  const plan = await makePlan(context('target'))
  const result = await time.run(apply(context('target'), plan, { allow: guardNames }))
  const moved = result.changes.filter(({ action, outcome }) => action === 'move' && outcome === 'done').length
  const seconds = ((watched.ended ?? 0) - (watched.began ?? 0)) / 1_000
  const [busiest = '', most = 0] = [...watched.sent].toSorted(([, a], [, b]) => b - a)[0] ?? []
  await context('target').store.close()
  const rate = moved / seconds
  const accounts = from.length === 1 ? 'one account' : `${from.length} accounts`
  return {
    what: `moving ${moved} subscribers of ${accounts}, ${callMilliseconds} ms a call, ${allowed.endpoint}/s of one operation, ${watched.refused} refused`,
    reach: `≥ ${atLeast} a second, none refused`,
    measured: `${rate.toFixed(1)} a second; most often ${busiest}, ${(most / moved).toFixed(2)} a move`,
    ok: result.ok && rate >= atLeast && watched.refused === 0,
  }
}

interface Watched {
  counting: boolean
  began: number | undefined
  ended: number | undefined
  refused: number
  /** Requests by account and operation during the moves. */
  readonly sent: Map<string, number>
  readonly fetchOf: (account: string) => typeof fetch
}

/** Slow, limited and counted from the first to the last subscriber, and nothing outside of that. */
function watch({ rig: { sandbox } }: School, time: VirtualTime): Watched {
  const limiter = new Limiter(
    () => allowed,
    () => time.milliseconds(),
  )
  const watched: Watched = {
    counting: false,
    began: undefined,
    ended: undefined,
    refused: 0,
    sent: new Map(),
    fetchOf: (account) => async (input, init) => {
      if (!isMoving(watched)) return time.busy(sandbox.fetch(input, init))
      const url = new URL(input instanceof Request ? input.url : input)
      const method = init?.method ?? 'GET'
      const operation = `${account} ${operationName(method, url.pathname)}`
      watched.sent.set(operation, (watched.sent.get(operation) ?? 0) + 1)
      try {
        limiter.check(account, { method, url })
      } catch {
        watched.refused += 1
      }
      const answer = await time.busy(sandbox.fetch(input, init))
      await time.sleep(callMilliseconds)
      return answer
    },
  }
  return watched
}

function isMoving({ began, ended }: Watched): boolean {
  return began !== undefined && ended === undefined
}

interface Slowed {
  readonly from: readonly Source[]
  readonly watched: Watched
  readonly time: VirtualTime
}

async function slowed(
  school: School,
  { from, watched, time }: Slowed,
): Promise<(stage: 'source' | 'target') => Context> {
  const { context } = school.rig
  const own = await openStore({ file: ':memory:' })
  for await (const row of context.store.copyMap()) await own.putCopyMap([row])
  const store = committing(own, time, () => isMoving(watched))
  // As in live mode. Lists before and after are read without limits.
  const connect = (name: string, rates: 'none' | ReturnType<typeof stripeRates>) =>
    connectAccount({
      name,
      key: `sk_test_sandbox_${name}`,
      fetch: watched.fetchOf(name),
      rates,
      timing: time,
      clock: () => school.rig.sandbox.clock() * 1_000,
    })
  const switching = async (name: 'target' | Source) => {
    const [slow, quick] = [await connect(name, stripeRates(true)), await connect(name, 'none')]
    return {
      ...quick,
      send: (request: Parameters<typeof quick.send>[0]) => (isMoving(watched) ? slow : quick).send(request),
    }
  }
  const accounts = {
    target: await switching('target'),
    sources: new Map(await Promise.all(sources.map(async (name) => [name, await switching(name)] as const))),
  }
  return (stage) => ({
    ...school.stage((one) => (from.some((name) => name === one.source) ? stage : 'source')),
    accounts,
    store,
    wait: (seconds) => time.sleep(seconds * 1_000),
    progress: {
      start(what) {
        if (watched.counting && what === 'applying') watched.began = time.milliseconds()
      },
      step() {},
      note() {},
      done() {
        if (isMoving(watched)) watched.ended = time.milliseconds()
      },
    },
  })
}
