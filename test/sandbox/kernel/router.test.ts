import { expect, test } from 'vitest'
import { createSandbox } from '../../../src/sandbox/sandbox.ts'
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
  await expect(stripe.rawRequest('GET', '/v1/nothing')).rejects.toMatchObject({
    statusCode: 404,
    message: expect.stringMatching(/Unrecognized request URL/),
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
