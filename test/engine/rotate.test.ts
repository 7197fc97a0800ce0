import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { instant } from '../../src/core/instant.ts'
import type { Context } from '../../src/engine/context.ts'
import { makePlan } from '../../src/engine/plan/make-plan.ts'
import { finishRotation, startRotation } from '../../src/engine/apply/rotate.ts'
import { load } from '../catalog/project.ts'
import { crossbill } from '../cli/crossbill.ts'
import { inWorld } from '../cli/project-world.ts'
import { boundaries, dieAt, openRig, planAndApply, type Rig } from './rig.ts'

// Many worlds in sequence: slow on a busy machine, but never waiting.
vi.setConfig({ testTimeout: 90_000 })

const webhooks = (events = 'customer.subscription.deleted', more = '') => `
webhook_endpoints:
  main: { url: 'https://school.example/hooks', enabled_events: [${events}], description: For the service, metadata: { team: billing }, secret_to: { file: hook.secret } }
${more}`

function catalogOf(text = webhooks()) {
  const { catalog, findings } = load({ 'webhooks.yaml': text })
  if (catalog === undefined) throw new Error(JSON.stringify(findings, null, 1))
  return catalog
}

const sink = '{"file":"hook.secret"}'

async function live({ context }: { context: Context }): Promise<{ id: string; status: unknown; events: unknown }[]> {
  const found = []
  for await (const one of context.accounts.target.list('/v1/webhook_endpoints', {}))
    found.push({ id: one.id ?? '', status: one['status'], events: one['enabled_events'] })
  return found
}

async function opened(): Promise<Rig & { readonly first: string }> {
  const rig = await openRig(catalogOf())
  await planAndApply(rig.context)
  return Object.assign(rig, { first: (await live(rig))[0]?.id ?? '' })
}

const again = (rig: Rig): Context => rig.with(rig.context.catalog)
const days = async (rig: Rig, count: number) => rig.advance(instant(rig.context.accounts.target.now() + count * 86_400))
const enabled = async (rig: Rig) => (await live(rig)).filter(({ status }) => status === 'enabled')

test.each(boundaries(3))(
  'a rotation killed $side request $request continues: one more endpoint, the first secret kept, nothing planned',
  async (boundary) => {
    await using rig = await opened()
    const original = rig.secrets.get(sink)
    const died = await dieAt(again(rig), boundary, (living) => startRotation(living, 'main'))
    expect(died).toBe(true)
    expect((await makePlan(again(rig))).changes).toEqual([])
    expect((await enabled(rig)).map(({ id }) => id)).toContain(rig.first)
    const { first, second } = await startRotation(again(rig), 'main')
    expect(first).toBe(rig.first)
    expect((await enabled(rig)).map(({ id }) => id).sort()).toEqual([first, second].sort())
    expect(rig.secrets.get('previous')).toBe(original)
    expect(rig.secrets.get(sink)).not.toBe(original)
    expect((await makePlan(again(rig))).changes).toEqual([])
    const sent = rig.sent.length
    expect(await startRotation(again(rig), 'main')).toMatchObject({ first, second, begun: false })
    expect(rig.sent.length).toBe(sent)
  },
)

test.each(boundaries(4))(
  'a finish killed $side request $request never leaves the account without a live endpoint, and continues',
  async (boundary) => {
    await using rig = await opened()
    const { first, second } = await startRotation(again(rig), 'main')
    await days(rig, 4)
    const finish = (context: Context) => finishRotation(context, 'main', { early: false })
    expect(await dieAt(again(rig), boundary, finish)).toBe(true)
    expect((await enabled(rig)).map(({ id }) => id)).toContain(second)
    const planned = (await makePlan(again(rig))).changes.map(({ action }) => action)
    expect(planned.filter((action) => action !== 'retire')).toEqual([])
    const done = await finish(again(rig))
    expect([undefined, first]).toContain(done?.first)
    expect(await live(rig)).toMatchObject([{ id: second, status: 'enabled' }])
    expect((await makePlan(again(rig))).changes).toEqual([])
    expect((await rig.context.store.objects()).map(({ id }) => id)).toContain(second)
    expect(await finish(again(rig))).toBeUndefined()
  },
)

test('the overlap lasts as long as Stripe repeats deliveries, and ends early only on request', async () => {
  await using rig = await opened()
  await startRotation(again(rig), 'main')
  await days(rig, 2)
  await expect(finishRotation(again(rig), 'main', { early: false })).rejects.toMatchObject({ code: 'overlap_runs' })
  expect(await enabled(rig)).toHaveLength(2)
  await finishRotation(again(rig), 'main', { early: true })
  expect(await live(rig)).toHaveLength(1)
})

test('a disabled second endpoint keeps the first one live', async () => {
  await using rig = await opened()
  const { second } = await startRotation(again(rig), 'main')
  const path = `/v1/webhook_endpoints/${second}`
  await rig.context.accounts.target.send({ method: 'POST', path, params: { disabled: true }, idempotencyKey: 'off' })
  await expect(finishRotation(again(rig), 'main', { early: true })).rejects.toMatchObject({ code: 'second_disabled' })
  expect(await enabled(rig)).toMatchObject([{ id: rig.first }])
})

test('the second endpoint takes over what the entry changed during the overlap, and no other entry adopts it', async () => {
  await using rig = await opened()
  const { second } = await startRotation(again(rig), 'main')
  const other =
    "  other: { url: 'https://school.example/hooks', enabled_events: [charge.failed], secret_to: { file: other.secret } }"
  const edited = catalogOf(webhooks('customer.subscription.deleted, invoice.payment_failed', other))
  const { plan } = await planAndApply(rig.with(edited))
  expect(plan.changes.map(({ address, action }) => `${action} ${address}`)).toEqual([
    'update webhook_endpoint.main',
    'create webhook_endpoint.other',
  ])
  await finishRotation(rig.with(edited), 'main', { early: true })
  expect((await live(rig)).find(({ id }) => id === second)?.events).toContain('invoice.payment_failed')
  expect((await makePlan(rig.with(edited))).changes).toEqual([])
})

test('the command stores the secret for its owner alone, and prints none', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'crossbill-rotate-'))
  try {
    mkdirSync(join(folder, 'catalog'))
    writeFileSync(join(folder, 'catalog/project.yaml'), 'project: school\naccounts:\n  target: { sandbox: true }\n')
    const entry = webhooks().replace('{ file: hook.secret }', '{ env_file: .env, name: HOOK }')
    writeFileSync(join(folder, 'catalog/webhooks.yaml'), entry)
    const printed: string[] = []
    const run = async (...words: string[]) => {
      const ran = await crossbill(words, folder)
      printed.push(ran.stdout, ran.stderr)
      return ran
    }
    const variables = () =>
      Object.fromEntries(
        readFileSync(join(folder, '.env'), 'utf8')
          .trim()
          .split('\n')
          .map((one) => one.split('=')),
      )
    expect(await run('apply', '--yes')).toMatchObject({ code: 0 })
    const { HOOK: original } = variables()
    expect(await run('webhooks', 'rotate', 'main')).toMatchObject({ code: 1 })
    expect(await run('webhooks', 'rotate', 'absent', '--yes')).toMatchObject({ code: 1 })
    expect(variables()).toEqual({ HOOK: original })
    const begun = await run('webhooks', 'rotate', 'main', '--yes')
    expect(begun).toMatchObject({ code: 0 })
    expect(begun.stdout).toContain('HOOK_PREVIOUS')
    expect(variables()).toEqual({ HOOK: expect.stringMatching(/^whsec_/), HOOK_PREVIOUS: original })
    expect(variables()['HOOK']).not.toBe(original)
    expect(statSync(join(folder, '.env')).mode & 0o777).toBe(0o600)
    expect(await run('pull', '--source', 'target')).toMatchObject({ code: 0 })
    expect(readFileSync(join(folder, 'catalog/webhooks.yaml'), 'utf8').match(/url:/g)).toHaveLength(1)
    const plan = await run('plan', '--format', 'json')
    expect(JSON.parse(plan.stdout)).toMatchObject({ changes: [] })
    expect((await run('webhooks', 'rotate', 'main', '--finish', '--yes')).stderr).toContain('overlap')
    const done = await run('webhooks', 'rotate', 'main', '--finish', '--early', '--yes', '--format', 'json')
    expect(JSON.parse(done.stdout)).toMatchObject({ webhook_endpoint: 'main', state: 'finished' })
    const left = await inWorld(
      folder,
      ['target'],
      async (stripe) => (await stripe('target').webhookEndpoints.list()).data,
    )
    expect(left.map(({ status }) => status)).toEqual(['enabled'])
    expect(printed.join('\n')).not.toMatch(/whsec_/)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
