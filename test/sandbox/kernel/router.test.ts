import { expect, test } from 'vitest'
import { createSandbox } from '../../../src/sandbox/sandbox.ts'
import { readFailure } from '../../../src/stripe/failures.ts'
import { clientOf } from '../client.ts'

test('the key selects the account, and answers have the simulated date', async () => {
  const sandbox = createSandbox()
  const us = await clientOf(sandbox).accounts.retrieveCurrent()
  const intl = await clientOf(sandbox, 'intl').accounts.retrieveCurrent()
  expect([us.id, us.country]).toEqual([sandbox.ready.accounts['us']?.id, 'US'])
  expect([intl.id, intl.country]).toEqual([sandbox.ready.accounts['intl']?.id, 'GB'])
  const bare = await sandbox.fetch('https://api.stripe.com/v1/account', {
    headers: { authorization: 'Bearer sk_test_sandbox_us' },
  })
  expect(bare.headers.get('date')).toBe('Tue, 01 Dec 2026 12:00:00 GMT')
  expect(us.lastResponse.requestId).toMatch(/^req_\w{14}$/)
})

test('an unknown key, route or parameter is refused as Stripe refuses it', async () => {
  const sandbox = createSandbox()
  await expect(clientOf(sandbox, 'nobody').accounts.retrieveCurrent()).rejects.toMatchObject({
    statusCode: 401,
    type: 'StripeAuthenticationError',
  })
  const stripe = clientOf(sandbox)
  await expect(stripe.rawRequest('GET', '/v3/products')).rejects.toMatchObject({
    statusCode: 404,
    message: expect.stringMatching(/^Unrecognized request URL/),
  })
  // github.com/onetimesecret/onetimesecret/issues/569: an empty id is not a missing object.
  const empty = await stripe.rawRequest('GET', '/v1/subscriptions/').catch((error: unknown) => error)
  expect(empty).toMatchObject({ statusCode: 404, message: expect.stringMatching(/valid \(non-empty\) identifier/) })
  expect((empty as { code?: string }).code).toBeUndefined()
  await expect(stripe.rawRequest('GET', '/v1/account?colour=red')).rejects.toMatchObject({
    statusCode: 400,
    code: 'parameter_unknown',
    param: 'colour',
  })
  // Another version is answered in the sandbox's own version, with a warning header.
  await expect(stripe.rawRequest('GET', '/v1/account', undefined, { apiVersion: '2020-08-27' })).resolves.toMatchObject(
    { object: 'account' },
  )
})

test.each([
  ['GET', '/v1/issuing/cards', '/v1/issuing'],
  ['GET', '/v1/billing/alerts', '/v1/billing/alerts'],
  ['POST', '/v1/customers/cus_1/cash_balance', '/v1/customers/cus_1/cash_balance'],
  ['DELETE', '/v1/prices/price_1', 'DELETE /v1/prices/price_1, only GET and POST'],
  ['GET', '/v1/billing', 'GET /v1/billing'],
  ['GET', '/v1/nothing', '/v1/nothing'],
  ['GET', '/v2/billing/meter_events', '/v2/billing'],
  ['POST', '/v2/core/accounts', '/v2/core/accounts'],
] as const)('a route that the sandbox lacks is answered 501 with its name: %s %s', async (method, path, missing) => {
  const sandbox = createSandbox()
  const answer = await sandbox.fetch(`https://api.stripe.com${path}`, {
    method,
    headers: { authorization: 'Bearer sk_test_sandbox_us' },
  })
  expect([answer.status, answer.headers.get('stripe-should-retry')]).toEqual([501, 'false'])
  expect(await answer.json()).toMatchObject({
    error: {
      type: 'api_error',
      message: `This sandbox has no ${missing}. It did not execute the request. docs/sandbox.md lists the addresses that it has.`,
    },
  })
})

test('the product does not repeat a request that the sandbox lacks', async () => {
  const sandbox = createSandbox()
  const failed = await clientOf(sandbox)
    .rawRequest('POST', '/v1/issuing/cards')
    .catch((error: unknown) => error)
  expect(readFailure(failed, 'POST')).toMatchObject({ kind: 'rejected', status: 501, code: 'api_error' })
  expect(readFailure(failed, 'GET')).toMatchObject({ kind: 'rejected' })
})
