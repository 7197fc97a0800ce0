import Stripe from 'stripe'
import { cases, prepare } from './cases.ts'

/** `CROSSBILL_STRIPE_TEST_KEY=sk_test_… npm run confirm`: how your own test account answers what the documentation leaves open. */
const key = process.env['CROSSBILL_STRIPE_TEST_KEY'] ?? ''
if (!/^[rs]k_test_/.test(key)) {
  process.stderr.write(
    'confirm needs a key of a Stripe test account: CROSSBILL_STRIPE_TEST_KEY=sk_test_… npm run confirm\n',
  )
  process.exitCode = 1
} else {
  const stripe = new Stripe(key, { maxNetworkRetries: 2 })
  const ground = await prepare(stripe)
  for (const one of cases) {
    const { name, unsure, expected, source } = one
    const seen = JSON.stringify(await one.run(stripe, ground).catch((error: unknown) => String(error)))
    const same = seen === JSON.stringify(expected)
    const which = unsure === undefined ? 'documented' : `to confirm, row ${unsure}`
    process.stdout.write(
      `${same ? 'as assumed' : 'DIFFERENT '}  ${name} (${which}; ${source})${same ? '' : `: ${seen}`}\n`,
    )
  }
}
