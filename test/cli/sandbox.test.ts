import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import Stripe from 'stripe'
import { expect, test } from 'vitest'
import { root } from '../house/sources.ts'

interface Ready {
  readonly url: string
  readonly clock: string
  readonly accounts: Readonly<Record<string, { readonly id: string; readonly key: string }>>
  readonly kajabi: { readonly api_base: string; readonly client_id: string; readonly client_secret: string }
}

test('sandbox prints one line when ready, answers the official SDK, and ends with Ctrl-C', async () => {
  const words = ['sandbox', '--clock', '2027-03-01T00:00:00Z']
  const child = spawn(process.execPath, [join(root, 'src/bin/crossbill.js'), ...words], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const lines: string[] = []
  const output = createInterface({ input: child.stdout })
  output.on('line', (line) => lines.push(line))
  await once(output, 'line')
  const ready = JSON.parse(lines[0] ?? '') as Ready
  expect(ready.clock).toBe('2027-03-01T00:00:00Z')
  expect(Object.keys(ready.accounts)).toEqual(['us', 'intl', 'target'])
  expect(ready.kajabi.api_base).toBe(`${ready.url}/kajabi`)

  const { hostname, port } = new URL(ready.url)
  for (const [name, { id, key }] of Object.entries(ready.accounts)) {
    expect(key).toBe(`sk_test_sandbox_${name}`)
    const stripe = new Stripe(key, { host: hostname, port, protocol: 'http', telemetry: false, maxNetworkRetries: 0 })
    const product = await stripe.products.create({ name: `Of ${name}` })
    const { data } = await stripe.products.list()
    expect(data.map((one) => one.id)).toEqual([product.id])
    expect((await stripe.rawRequest('GET', '/v1/account')) as { id?: string }).toMatchObject({ id })
  }

  child.kill('SIGINT')
  expect(await once(child, 'exit')).toEqual([0, null])
  expect(lines).toHaveLength(1)
})
