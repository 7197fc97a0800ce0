import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { apply } from '../../src/engine/apply/apply.ts'
import type { Context } from '../../src/engine/context.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import { guardNames } from '../../src/catalog/guards.ts'
import { openStore } from '../../src/store/open.ts'
import { connectAccount } from '../../src/stripe/account.ts'
import { operationName, stripeRates } from '../../src/stripe/limits.ts'
import { openSchool, type School } from '../engine/school.ts'
import { milliseconds, type Figure } from './figure.ts'

const subscribers = 1_200
const callMilliseconds = 300
const allowed = { global: 100, endpoint: 25 }

/**
 * A wave of one account against a Stripe with delays and rate limits: the limit of the busiest
 * operation, not the delays, should determine the speed.
 */
export async function move(): Promise<Figure> {
  const folder = mkdtempSync(join(tmpdir(), 'crossbill-bench-'))
  await using school = await openSchool(subscribers)
  const watched = watch(school)
  const context = await overFile(school, join(folder, 'crossbill.db'), watched)
  // First the catalog, without delays: only the moves are counted.
  await apply(context('source'), await makePlan(context('source')), { allow: guardNames })
  watched.counting = true
  const result = await apply(context('target'), await makePlan(context('target')), { allow: guardNames })
  const moved = result.changes.filter(({ action, outcome }) => action === 'move' && outcome === 'done').length
  const seconds = (watched.ended - watched.began) / 1_000
  const [busiest = '', most = 0] = [...watched.sent].toSorted(([, a], [, b]) => b - a)[0] ?? []
  const share = most / seconds / allowed.endpoint
  await context('target').store.close()
  rmSync(folder, { recursive: true })
  return {
    what: `moving ${moved} subscribers of one account, ${callMilliseconds} ms a call, ${(moved / seconds).toFixed(1)}/s; busiest: ${busiest}, ${watched.refused} refused`,
    reach: `≥ 90 % of the ${allowed.endpoint}/s that one operation may have, none refused`,
    measured: `${Math.round(100 * share)} % in ${milliseconds(seconds * 1_000)}`,
    ok: result.ok && share >= 0.9 && watched.refused === 0,
  }
}

interface Watched {
  counting: boolean
  began: number
  ended: number
  refused: number
  /** Requests by account and operation during the moves. */
  readonly sent: Map<string, number>
  readonly fetchOf: (account: string) => typeof fetch
}

/** Slow and counted from the first to the last subscriber, without delays before and after. */
function watch({ rig: { sandbox } }: School): Watched {
  const watched: Watched = {
    counting: false,
    began: 0,
    ended: 0,
    refused: 0,
    sent: new Map(),
    fetchOf: (account) => async (input, init) => {
      if (watched.began === 0 || watched.ended > 0) return sandbox.fetch(input, init)
      const { pathname } = new URL(input instanceof Request ? input.url : input)
      const operation = `${account} ${operationName(init?.method ?? 'GET', pathname)}`
      watched.sent.set(operation, (watched.sent.get(operation) ?? 0) + 1)
      const answer = await sandbox.fetch(input, init)
      if (answer.status === 429) watched.refused += 1
      await sleep(callMilliseconds)
      return answer
    },
  }
  return watched
}

async function overFile(
  school: School,
  file: string,
  watched: Watched,
): Promise<(stage: 'source' | 'target') => Context> {
  const { sandbox, context } = school.rig
  const store = await openStore({ file })
  for await (const row of context.store.copyMap()) await store.putCopyMap([row])
  const connect = (name: string) =>
    connectAccount({
      name,
      key: `sk_test_sandbox_${name}`,
      fetch: watched.fetchOf(name),
      // As in live mode. Lists before and after are read without limits.
      rates: { account: Infinity, operation: Infinity },
    })
  const paced = (name: string) =>
    connectAccount({ name, key: `sk_test_sandbox_${name}`, fetch: watched.fetchOf(name), rates: stripeRates(true) })
  const slow = { target: await paced('target'), us: await paced('us') }
  const quick = { target: await connect('target'), us: await connect('us'), intl: await connect('intl') }
  const moving = (): boolean => watched.began > 0 && watched.ended === 0
  const switching = (name: 'target' | 'us') => ({
    ...quick[name],
    send: (request: Parameters<(typeof quick)['us']['send']>[0]) => (moving() ? slow : quick)[name].send(request),
  })
  const accounts = {
    target: switching('target'),
    sources: new Map([
      ['us', switching('us')],
      ['intl', quick.intl],
    ]),
  }
  return (stage) => ({
    ...school.stage((one) => (one.source === 'us' ? stage : 'source')),
    accounts,
    store,
    wait: (seconds) => sleep(seconds * 1_000),
    progress: {
      start(what) {
        if (!watched.counting || what !== 'applying') return
        sandbox.world.limits = allowed
        watched.began = performance.now()
      },
      step() {},
      note() {},
      done() {
        if (!moving()) return
        watched.ended = performance.now()
        sandbox.world.limits = undefined
      },
    },
  })
}
