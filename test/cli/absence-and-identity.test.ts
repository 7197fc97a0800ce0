import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { servedProject, type Member, type ServedProject } from './served-project.ts'

interface Violations {
  readonly violations: readonly { readonly code: string; readonly subscriber: string }[]
}

async function school(people = 2): Promise<{ project: ServedProject; members: readonly Member[] }> {
  const project = await servedProject()
  const price = await project.price('us', 1_200)
  const members: Member[] = []
  for (let i = 0; i < people; i++) members.push(await project.member('us', price))
  await project.advance('2026-12-10T12:00:00Z')
  await project.ready()
  project.stage('target')
  expect((await project.run('apply', '--yes')).code).toBe(0)
  return { project, members }
}

async function verified(project: ServedProject): Promise<readonly string[]> {
  const { violations } = JSON.parse((await project.run('verify', '--format', 'json')).stdout) as Violations
  return violations.map(({ code, subscriber }) => `${code} ${subscriber}`)
}

const billing = async (project: ServedProject, account: string, { customer }: Member): Promise<number> =>
  (await project.live(account, customer)).filter((one) => one.pause_collection === null).length

test.each(['with the store', 'without it'])(
  'a member deleted in the target ends everything: the old subscription is settled, never released, %s',
  { timeout: 60_000 },
  async (store) => {
    const { project, members } = await school()
    await using _closed = project
    const [erased, calm] = members as [Member, Member]
    await project.stripe('target').customers.del(erased.customer)
    if (store === 'without it') project.loseStore()
    expect(await verified(project)).toEqual([`ended_in_target us/${erased.subscription}`])
    expect((await project.run('apply', '--yes')).code).toBe(0)
    expect(await project.live('us', erased.customer)).toEqual([])
    expect(await billing(project, 'target', calm)).toBe(1)
    expect(await verified(project)).toEqual([])
  },
)

test(
  'a member deleted in the old account before the move has ended and is not reported missing',
  { timeout: 60_000 },
  async () => {
    const project = await servedProject()
    await using _closed = project
    const price = await project.price('us', 1_200)
    const [erased, calm] = [await project.member('us', price), await project.member('us', price)]
    await project.advance('2026-12-10T12:00:00Z')
    await project.ready()
    await project.stripe('us').customers.del(erased.customer)
    project.stage('target')
    const plan = JSON.parse((await project.run('plan', '--format', 'json')).stdout) as {
      blocked: unknown[]
      people: Record<string, number>
    }
    expect(plan.blocked).toEqual([])
    expect(plan.people).toMatchObject({ ended: 1, move: 1 })
    expect((await project.run('apply', '--yes')).code).toBe(0)
    expect(await billing(project, 'target', calm)).toBe(1)
    expect(await verified(project)).toEqual([])
  },
)

test('a member deleted in the old account while on hold is reported', { timeout: 60_000 }, async () => {
  const { project, members } = await school()
  await using _closed = project
  const [erased] = members as [Member]
  await project.stripe('us').customers.del(erased.customer)
  expect(await verified(project)).toEqual([`cancelled_in_source us/${erased.subscription}`])
  expect((await project.run('cancel', `us/${erased.subscription}`, '--yes')).code).toBe(0)
  expect(await project.live('target', erased.customer)).toEqual([])
})

test(
  'a cancel finds the new subscription by its id in the store; one that it cannot find is never called cancelled',
  { timeout: 60_000 },
  async () => {
    const { project, members } = await school(2)
    await using _closed = project
    const [known, unseen] = members as [Member, Member]
    const target = project.stripe('target')
    const successorOf = async ({ customer }: Member): Promise<string> =>
      (await project.live('target', customer))[0]?.id ?? ''
    for (const member of [known, unseen])
      await target.subscriptions.update(await successorOf(member), { metadata: { crossbill_from: '' } })
    expect((await project.run('cancel', `us/${known.subscription}`, '--yes')).code).toBe(0)
    expect(await project.live('target', known.customer)).toEqual([])
    expect(await project.live('us', known.customer)).toEqual([])
    project.loseStore()
    const refused = await project.run('cancel', `us/${unseen.subscription}`, '--yes')
    expect(refused.code).toBe(1)
    expect(refused.stdout).toContain('successor_unseen')
    expect(refused.stdout).toContain('Dashboard of the target')
    expect(await project.live('us', unseen.customer)).toHaveLength(1)
    const named = await project.run('cancel', `target/${await successorOf(unseen)}`, '--yes')
    expect(named.code).toBe(0)
    expect(await project.live('target', unseen.customer)).toEqual([])
  },
)

test(
  'pull writes the present stage of subscribers, including settled ones, so that new files revert no subscriber',
  { timeout: 90_000 },
  async () => {
    const { project, members } = await school(3)
    await using _closed = project
    const [moved, settled, other] = members as [Member, Member, Member]
    await project.advance('2027-01-05T12:00:00Z')
    project.stage('settled', settled.subscription)
    expect((await project.run('apply', '--yes')).code).toBe(0)
    const subscription = (await project.live('target', other.customer))[0]
    await project.stripe('target').subscriptions.update(subscription?.id ?? '', { cancel_at_period_end: true })
    rmSync(join(project.folder, 'catalog/subscribers'), { recursive: true })
    expect((await project.run('pull')).code).toBe(0)
    const text = [...project.waves().values()].join('')
    expect(text).toContain(`  ${moved.subscription}:\n    stage: target\n`)
    expect(text).toContain(`  ${settled.subscription}:\n    stage: settled\n`)
    expect((await project.run('validate')).code).toBe(0)
    const plan = await project.run('plan', '--detailed-exitcode')
    expect(plan).toMatchObject({ code: 0 })
    expect(await verified(project)).toEqual([])
    expect((await project.run('pull')).stdout).toContain('already matches')
  },
)

test('a stage that was never written reverts no subscriber', { timeout: 60_000 }, async () => {
  const { project, members } = await school(1)
  await using _closed = project
  for (const [path, text] of project.waves()) project.edit(path, () => text.replaceAll(/^ *stage: \w+\n/gm, ''))
  expect((await project.run('plan')).stdout).toContain('stage_unwritten')
  expect((await project.run('apply', '--yes')).code).toBe(0)
  expect(await billing(project, 'target', members[0] as Member)).toBe(1)
})

test(
  'a subscriber that another project moved is not reverted, settled or reported missing',
  { timeout: 90_000 },
  async () => {
    const { project, members } = await school(2)
    await using _closed = project
    const [moved] = members as [Member, Member]
    const fresh = await project.member('us', await project.price('us', 900))
    const other = project.checkout('other-school')
    expect((await other.run('pull')).code).toBe(0)
    const text = [...other.waves().values()].join('')
    expect(text).toContain(fresh.subscription)
    expect(text).not.toContain(moved.subscription)
    expect((await other.run('validate')).code).toBe(0)
    expect(await verified(other)).toEqual([])
    // An entry written by hand does not change the owner, whatever its stage.
    mkdirSync(join(other.folder, 'catalog/subscribers/us'), { recursive: true })
    const entry = [...project.waves().values()].join('').replaceAll('stage: target', 'stage: source')
    writeFileSync(join(other.folder, 'catalog/subscribers/us/by-hand.yaml'), entry)
    writeFileSync(join(other.folder, 'catalog/mappings/us.yaml'), '')
    const applied = await other.run('apply', '--yes')
    expect(applied.stdout).not.toContain('reverted to the old account')
    for (const stage of ['source', 'settled']) {
      other.stage(stage)
      await other.run('apply', '--yes')
      for (const member of members) {
        expect(await billing(project, 'target', member)).toBe(1)
        expect((await project.live('us', member.customer)).map((one) => one.pause_collection?.behavior)).toEqual([
          'void',
        ])
      }
    }
    expect(await verified(project)).toEqual([`undeclared_subscription us/${fresh.subscription}`])
  },
)

/**
 * Renames an account in project.yaml and in all files whose path contains its name.
 */
function renameSource(project: ServedProject, from: string, to: string): void {
  project.edit('project.yaml', (text) => text.replace(`  ${from}: {`, `  ${to}: {`))
  for (const [before, after] of [
    [`subscribers/${from}`, `subscribers/${to}`],
    [`mappings/${from}.yaml`, `mappings/${to}.yaml`],
  ] as const) {
    const path = join(project.folder, 'catalog', before)
    if (existsSync(path)) renameSync(path, join(project.folder, 'catalog', after))
  }
}

test.each(['with the store', 'without it'])(
  'a renamed source keeps its moved subscribers, and cancel ends both subscriptions, %s',
  { timeout: 120_000 },
  async (store) => {
    const { project, members } = await school(3)
    await using _closed = project
    const [byKey, bySuccessor, calm] = members as [Member, Member, Member]
    renameSource(project, 'us', 'usa')
    if (store === 'without it') project.loseStore()
    expect(await verified(project)).toEqual([])
    const planned = await project.run('plan', '--detailed-exitcode')
    expect(planned).toMatchObject({ code: 0 })
    expect((await project.run('apply', '--yes')).code).toBe(0)
    for (const member of members) expect(await billing(project, 'target', member)).toBe(1)
    const successor = (await project.live('target', bySuccessor.customer))[0]
    expect((await project.run('cancel', `usa/${byKey.subscription}`, '--yes')).code).toBe(0)
    const ran = await project.run('cancel', successor?.id ?? '', '--yes')
    expect(ran).toMatchObject({ code: 0 })
    expect(ran.stdout).toContain(`usa/${bySuccessor.subscription} is cancelled`)
    for (const { customer } of [byKey, bySuccessor])
      for (const account of ['us', 'target']) expect(await project.live(account, customer)).toEqual([])
    expect(await billing(project, 'target', calm)).toBe(1)
    // The old name still identifies the subscriber.
    expect((await project.run('cancel', `us/${calm.subscription}`, '--yes')).code).toBe(0)
    for (const account of ['us', 'target']) expect(await project.live(account, calm.customer)).toEqual([])
  },
)

test('cancel refuses when no account of the project has the old subscription', { timeout: 90_000 }, async () => {
  const { project, members } = await school(1)
  await using _closed = project
  const [{ customer, subscription }] = members as [Member]
  const successor = (await project.live('target', customer))[0]
  const id = project.sandbox.ready.accounts['intl']?.id
  project.edit('project.yaml', (text) =>
    text
      .replace('  us: { key: { env: KEY_US }', '  intl: { key: { env: KEY_INTL }')
      .replace(/(KEY_INTL \}, account: )\w+/, `$1${id}`),
  )
  for (const path of ['subscribers', 'mappings'])
    rmSync(join(project.folder, 'catalog', path), { recursive: true, force: true })
  for (const who of [successor?.id ?? '', customer]) {
    const ran = await project.run('cancel', who, '--yes')
    expect(ran.code).toBe(1)
    expect(ran.stderr).toContain('which catalog/project.yaml does not name')
    expect(ran.stderr).toContain(subscription)
  }
  expect(await billing(project, 'target', { customer } as Member)).toBe(1)
  expect(await project.live('us', customer)).toHaveLength(1)
})
