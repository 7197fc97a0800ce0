import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { createSandbox } from '../../src/sandbox/sandbox.ts'
import { serveSandbox } from '../../src/sandbox/server.ts'
import { cases } from './cases.ts'

const script = fileURLToPath(new URL('confirm.ts', import.meta.url))

function confirm(env: Record<string, string>): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [script], { env: { ...process.env, ...env } }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    )
  })
}

it('runs the cases over HTTP, test clocks included, and prints each answer', async () => {
  const sandbox = createSandbox()
  const server = await serveSandbox(sandbox, { port: 0 })
  try {
    const told = { CROSSBILL_STRIPE_TEST_KEY: 'sk_test_sandbox_us', CROSSBILL_STRIPE_TEST_URL: server.url }
    const first = await confirm(told)
    expect(first).toMatchObject({ code: 0 })
    expect(first.stdout.trimEnd().split('\n')).toHaveLength(cases.length)
    expect(first.stdout).not.toMatch(/DIFFERENT|NOT RUN/)
    expect(first.stderr).toContain(`${cases.length} as assumed, 0 different, 0 not run`)
    expect(first.stderr).toContain('rows of docs/to-confirm.md that were asked: 5, 7, 8')
    // An account with another answer.
    Object.assign(sandbox.world.unsure, { list_refuses_unknown_customer: false })
    const second = await confirm(told)
    expect(second.code).toBe(2)
    expect(second.stdout).toMatch(/^DIFFERENT {3}a list for a customer .*row 19.*: \["accepted","accepted"\]$/m)
  } finally {
    await server.close()
  }
}, 60_000)

it('refuses a live key, a missing key, and an address on another machine', async () => {
  const url = 'http://127.0.0.1:9'
  for (const key of ['sk_live_1', 'rk_live_1', '']) {
    const refused = await confirm({ CROSSBILL_STRIPE_TEST_KEY: key, CROSSBILL_STRIPE_TEST_URL: url })
    expect(refused).toMatchObject({ code: 1, stdout: '' })
    expect(refused.stderr).toContain('needs a key of a Stripe test account')
  }
  const away = { CROSSBILL_STRIPE_TEST_KEY: 'sk_test_1', CROSSBILL_STRIPE_TEST_URL: 'http://stripe.example' }
  expect((await confirm(away)).stderr).toContain('keys go to Stripe and nowhere else')
})
