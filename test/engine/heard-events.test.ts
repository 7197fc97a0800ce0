import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { heardEvents } from '../../src/catalog/service-endpoint.ts'
import type { Context } from '../../src/engine/context.ts'
import { doctor } from '../../src/engine/doctor/doctor.ts'
import { enabledOldWebhooks } from '../../src/engine/plan/guard-readings.ts'
import { root } from '../house/sources.ts'
import { members } from './members.ts'

const served = (context: Context, serve: { public_url: string }): Context => ({
  ...context,
  catalog: { ...context.catalog, project: { ...context.catalog.project, serve } },
})

test('doctor compares each account’s endpoint with the events that the cancel service needs', async () => {
  await using school = await members([{ since: '2026-09-20T09:15:00Z' }], '2026-10-05T12:00:00Z')
  const bare = school.stage('target')
  const context = served(bare, { public_url: 'https://cancel.example/' })
  const heard = async (one = context): Promise<string[]> => {
    const { findings } = await doctor(one, { localNow: one.accounts.target.now() })
    return findings
      .filter(({ check }) => check === 'service_events')
      .map(({ account, status, message }) => `${account} ${status}: ${message}`)
  }
  expect(await heard(bare)).toEqual([])
  expect(await heard()).toEqual([
    `target warning: no webhook endpoint sends to https://cancel.example/stripe/webhooks/target, so the cancel service does not receive ${heardEvents.target.join(', ')}`,
    `us warning: no webhook endpoint sends to https://cancel.example/stripe/webhooks/us, so the cancel service does not receive ${heardEvents.source.join(', ')}`,
    `intl warning: no webhook endpoint sends to https://cancel.example/stripe/webhooks/intl, so the cancel service does not receive ${heardEvents.source.join(', ')}`,
  ])
  const { id } = await school.us.webhookEndpoints.create({
    url: 'https://cancel.example/stripe/webhooks/us',
    enabled_events: ['customer.subscription.deleted'],
  })
  expect((await heard())[1]).toMatch(
    /^us warning: .* does not send every event to .* does not receive customer.subscription.updated$/,
  )
  await school.us.webhookEndpoints.update(id, { enabled_events: [...heardEvents.source] })
  expect((await heard())[1]).toMatch(/^us ok: /)
  // The service distinguishes a settle from a member's cancel: its endpoint is not an old door and
  // stops no settle.
  const { findings } = await doctor(context, { localNow: context.accounts.target.now() })
  expect(findings.filter(({ check, status }) => check === 'old_webhook_enabled' && status !== 'ok')).toEqual([])
  expect(await enabledOldWebhooks(context)).toEqual(new Map())
  await school.us.webhookEndpoints.create({
    url: 'https://old.example/hook',
    enabled_events: ['customer.subscription.deleted'],
  })
  expect(await enabledOldWebhooks(context)).toEqual(new Map([['us', 1]]))
  await school.us.webhookEndpoints.update(id, { disabled: true })
  expect((await heard())[1]).toMatch(/^us warning: only a disabled webhook endpoint sends to/)
})

test('the example catalog and the handbook name the events that the service needs', () => {
  const file = parse(readFileSync(join(root, 'catalog/webhooks.yaml'), 'utf8')) as {
    webhook_endpoints: Record<string, { enabled_events: string[] }>
  }
  expect(file.webhook_endpoints['cancel-service']?.enabled_events.toSorted()).toEqual(
    [...heardEvents.target].toSorted(),
  )
  const handbook = readFileSync(join(root, 'docs/migration-handbook.md'), 'utf8')
  for (const [side, events] of Object.entries(heardEvents))
    expect(handbook).toMatch(new RegExp(`${side}.*${events.map((one) => `\`${one}\``).join(', ')}`))
})
