import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { createSandbox } from '../../../src/sandbox/sandbox.ts'
import { serveSandbox } from '../../../src/sandbox/server.ts'
import { pythonWithStripe } from './python.ts'

const script = fileURLToPath(new URL('stripe-python.py', import.meta.url))
const found = pythonWithStripe()

test('the Python library signs up, advances a test clock, pages, and understands refusals', async ({ skip }) => {
  if ('missing' in found) return skip(found.missing)
  const sandbox = createSandbox()
  const server = await serveSandbox(sandbox, { port: 0 })
  try {
    const key = sandbox.ready.accounts['us']?.long_key ?? ''
    const { stdout } = await promisify(execFile)(found.python, [script, server.url, key])
    expect(JSON.parse(stdout)).toEqual({
      version: expect.stringMatching(/^\d+\./),
      expanded: 'Membership',
      first: 4_900,
      replayed: true,
      invoices: 2,
      paged: true,
      missing: ['InvalidRequestError', 404, 'resource_missing'],
      unknown: ['InvalidRequestError', 400, 'parameter_unknown'],
      key: ['AuthenticationError', 401, null],
      declined: ['CardError', 402, 'card_declined'],
    })
  } finally {
    await server.close()
  }
}, 180_000)
