import Stripe from 'stripe'
import type { Case } from './case.ts'
import { cases } from './cases.ts'
import { prepare } from './ground.ts'

/**
 * `CROSSBILL_STRIPE_TEST_KEY=sk_test_… npm run confirm`: how your test account answers the cases
 * that the product relies on and those that the documentation leaves open.
 */
const key = process.env['CROSSBILL_STRIPE_TEST_KEY'] ?? ''
/** A server on this machine instead of Stripe, to test the command itself. */
const url = process.env['CROSSBILL_STRIPE_TEST_URL']

type Verdict = 'as assumed' | 'DIFFERENT' | 'NOT RUN'

async function main(): Promise<number> {
  if (!/^[rs]k_test_/.test(key)) {
    say('confirm needs a key of a Stripe test account: CROSSBILL_STRIPE_TEST_KEY=sk_test_… npm run confirm')
    return 1
  }
  const stripe = new Stripe(key, { maxNetworkRetries: 4, ...whereabouts() })
  const { id } = await stripe.accounts.retrieveCurrent()
  say(
    `confirm: ${cases.length} cases against ${id}; every object that it creates there is named "Crossbill conformance"`,
  )
  const ground = await prepare(stripe)
  const verdicts: [Case, Verdict][] = []
  for (const one of cases) {
    const [verdict, seen] = await ask(one, ground)
    verdicts.push([one, verdict])
    const { name, unsure, source } = one
    const which = unsure === undefined ? 'documented' : `to confirm, row ${unsure}`
    process.stdout.write(`${verdict.padEnd(10)}  ${name} (${which}; ${source})${seen === '' ? '' : `: ${seen}`}\n`)
  }
  return summary(verdicts)
}

async function ask(one: Case, ground: Parameters<Case['run']>[0]): Promise<[Verdict, string]> {
  try {
    const seen = JSON.stringify(await one.run(ground))
    return seen === JSON.stringify(one.expected) ? ['as assumed', ''] : ['DIFFERENT', seen]
  } catch (error) {
    return ['NOT RUN', error instanceof Error ? error.message : String(error)]
  }
}

/** 0: all as assumed; 2: an answer differs; 1: a case could not run. */
function summary(verdicts: readonly (readonly [Case, Verdict])[]): number {
  const of = (verdict: Verdict): readonly Case[] => verdicts.flatMap(([one, is]) => (is === verdict ? [one] : []))
  const rows = new Set(verdicts.flatMap(([{ unsure }, verdict]) => (verdict === 'NOT RUN' ? [] : (unsure ?? []))))
  const asked = [...rows].toSorted((a, b) => a - b).join(', ')
  say(
    `confirm: ${of('as assumed').length} as assumed, ${of('DIFFERENT').length} different, ${of('NOT RUN').length} not run`,
  )
  say(`confirm: rows of docs/to-confirm.md that were asked: ${asked}`)
  return of('NOT RUN').length > 0 ? 1 : of('DIFFERENT').length > 0 ? 2 : 0
}

function whereabouts(): Stripe.StripeConfig {
  if (url === undefined || url === '') return {}
  const { hostname, port, protocol } = new URL(url)
  if (hostname !== '127.0.0.1' || protocol !== 'http:')
    throw new Error('CROSSBILL_STRIPE_TEST_URL must be http://127.0.0.1:PORT: keys go to Stripe and nowhere else')
  return { host: hostname, port, protocol: 'http' }
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}

process.exitCode = await main()
