import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { servedProject, type Member, type ServedProject } from './served-project.ts'

/** Three members: a moved one, one that will move, and one whose price has its own product. */
async function school(): Promise<{ project: ServedProject; moved: Member; ordinary: Member; rare: Member }> {
  const project = await servedProject()
  const price = await project.price('us', 1_200)
  const other = await project.price('us', 3_400)
  const [moved, ordinary, rare] = [
    await project.member('us', price),
    await project.member('us', price),
    await project.member('us', other),
  ]
  await project.advance('2026-12-10T12:00:00Z')
  await project.ready()
  project.stage('target', moved.subscription)
  expect((await project.run('apply', '--yes')).code).toBe(0)
  return { project, moved, ordinary, rare }
}

const isIn = async (project: ServedProject, { customer }: Member): Promise<boolean> =>
  (await project.live('target', customer)).length === 1

test(
  'a misspelled price blocks its subscribers, is named, retires nothing, and stops no other subscriber',
  { timeout: 60_000 },
  async () => {
    const { project, ordinary, rare } = await school()
    await using _closed = project
    project.stage('target')
    project.edit('prices.yaml', (text) => text.replace('unit_amount: 3400', 'unit_amuont: 3400'))
    expect((await project.run('validate')).code).toBe(1)
    const plan = await project.run('plan', '--format', 'json')
    expect(plan.code).toBe(2)
    const { blocked, summary } = JSON.parse(plan.stdout) as {
      blocked: { address: string; code: string }[]
      summary: Record<string, number>
    }
    expect(summary).toMatchObject({ move: 1, retire: 0 })
    const codes = blocked.map(({ address, code }) => `${address.replace(/\.membership.*/, '')} ${code}`)
    expect(codes.toSorted()).toEqual(['price entry_invalid', `subscriber.us/${rare.subscription} entry_invalid`])
    const applied = await project.run('apply', '--yes')
    expect(applied).toMatchObject({ code: 1 })
    expect(applied.stdout).toContain('unit_amuont')
    expect(applied.stdout).toContain('Subscribers: 1 moved, 1 blocked (entry_invalid 1).')
    expect(await isIn(project, ordinary)).toBe(true)
    expect(await isIn(project, rare)).toBe(false)
    const prices = await project.stripe('target').prices.list({ active: true })
    expect(prices.data).toHaveLength(2)
    const verify = await project.run('verify')
    expect(verify.code).toBe(2)
    expect(verify.stdout).toContain('entry_invalid (1)')
  },
)

test('a file that is not YAML retires nothing and moves no subscriber that needs it', { timeout: 60_000 }, async () => {
  const { project, ordinary } = await school()
  await using _closed = project
  project.edit('prices.yaml', (text) => `${text}\n  : [`)
  project.stage('target')
  const plan = JSON.parse((await project.run('plan', '--format', 'json')).stdout) as { summary: Record<string, number> }
  expect(plan.summary).toMatchObject({ retire: 0, create: 0, replace: 0, move: 0, revert: 0 })
  expect((await project.run('apply', '--yes')).code).toBe(1)
  expect((await project.stripe('target').prices.list({ active: true })).data).toHaveLength(2)
  expect(await isIn(project, ordinary)).toBe(false)
})

test('an entry with an error is neither reverted nor reported undeclared', { timeout: 60_000 }, async () => {
  const { project, moved, ordinary } = await school()
  await using _closed = project
  for (const [path, text] of project.waves())
    project.edit(path, () =>
      text.replace(`  ${moved.subscription}:\n    stage: target\n`, `  ${moved.subscription}:\n    stage: taget\n`),
    )
  const verify = await project.run('verify', '--format', 'json')
  const { violations } = JSON.parse(verify.stdout) as { violations: { code: string; subscriber: string }[] }
  expect(violations.map(({ code, subscriber }) => [code, subscriber])).toEqual([
    ['entry_invalid', `us/${moved.subscription}`],
  ])
  project.stage('target', ordinary.subscription)
  expect((await project.run('apply', '--yes')).code).toBe(1)
  expect(await isIn(project, moved)).toBe(true)
  expect(await isIn(project, ordinary)).toBe(true)
})

test(
  'cancel needs only keys, accounts and the subscriber: every other file may be broken',
  { timeout: 60_000 },
  async () => {
    const { project, moved } = await school()
    await using _closed = project
    project.edit('project.yaml', (text) => `${text}policies: { settle_after_dais: 3 }\nkajabi: { sight: school }\n`)
    for (const [path] of project.waves()) project.edit(path, () => ': [')
    project.edit('prices.yaml', () => 'prices: 12')
    const cancel = await project.run('cancel', `us/${moved.subscription}`, '--yes')
    expect(cancel).toMatchObject({ code: 0 })
    expect(await project.live('target', moved.customer)).toEqual([])
    expect(await project.live('us', moved.customer)).toEqual([])
    expect(cancel.stderr).toContain('settle_after_dais')
    // Settings that concern all subscribers must be right.
    expect((await project.run('apply', '--yes')).code).toBe(1)
  },
)

test(
  'an amount that no account can charge blocks its subscribers; what pull writes is valid',
  { timeout: 60_000 },
  async () => {
    const { project, ordinary } = await school()
    await using _closed = project
    const odd = await project.price('us', 8_677, { currency: 'kwd' })
    const rare = await project.member('us', odd)
    expect((await project.run('pull')).code).toBe(0)
    const validate = await project.run('validate')
    expect(validate.code).toBe(0)
    expect(validate.stdout).toContain('warning price-smallest-unit')
    await project.copy()
    expect((await project.run('copy-map', 'import', 'us.csv')).code).toBe(0)
    project.stage('target')
    const plan = JSON.parse((await project.run('plan', '--format', 'json')).stdout) as {
      blocked: { address: string; code: string }[]
    }
    expect(plan.blocked.map(({ code }) => code).toSorted()).toEqual(['amount_not_chargeable', 'resource_blocked'])
    const applied = await project.run('apply', '--yes', '--format', 'json')
    expect(applied.code).toBe(0)
    expect((JSON.parse(applied.stdout) as { summary: object }).summary).toEqual({
      moved: 2,
      settled: 0,
      reverted: 0,
      deferred: { count: 0, codes: {} },
      blocked: { count: 1, codes: { resource_blocked: 1 } },
      resources_blocked: { count: 1, codes: { amount_not_chargeable: 1 } },
    })
    expect(await isIn(project, ordinary)).toBe(true)
    expect(await isIn(project, rare)).toBe(false)
  },
)

test(
  'an access.yaml with a wrong word stops neither plan nor cancel, and the plan says what it leaves out',
  { timeout: 60_000 },
  async () => {
    const { project, moved } = await school()
    await using _closed = project
    writeFileSync(
      join(project.folder, 'catalog/access.yaml'),
      'offers:\n  course: { kajabi: "1", prices: [no-such-price], cancel_tags: ["7"] }\n',
    )
    const plan = await project.run('plan')
    expect(plan.stdout).toContain('no access is granted or revoked until it is corrected')
    expect(plan.stderr).not.toContain('bug')
    const cancel = await project.run('cancel', `us/${moved.subscription}`, '--yes')
    expect(cancel).toMatchObject({ code: 0 })
    expect(await project.live('target', moved.customer)).toEqual([])
  },
)

test('keys swapped under moved: change no price until they are corrected', { timeout: 60_000 }, async () => {
  const { project, moved } = await school()
  await using _closed = project
  const addresses: string[] = []
  project.edit('prices.yaml', (text) => {
    addresses.push(...[...text.matchAll(/^ {2}([\w-]+):$/gm)].map(([, key]) => `price.${key}`))
    const [one = '', other = ''] = addresses
    return `${text}\nmoved:\n  ${one}: ${other}\n  ${other}: ${one}\n`
  })
  expect(addresses).toHaveLength(2)
  const plan = JSON.parse((await project.run('plan', '--format', 'json')).stdout) as {
    summary: Record<string, number>
    changes: readonly object[]
    blocked: readonly { readonly address: string; readonly code: string }[]
  }
  expect(plan.changes).toEqual([])
  expect(plan.summary).toMatchObject({ create: 0, update: 0, replace: 0, retire: 0, revert: 0 })
  const blocked = plan.blocked.filter(({ code }) => code === 'entry_invalid').map(({ address }) => address)
  expect(blocked).toEqual(expect.arrayContaining(addresses))
  expect(await isIn(project, moved)).toBe(true)
})
