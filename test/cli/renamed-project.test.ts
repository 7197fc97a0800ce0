import { expect, test } from 'vitest'
import { servedProject, type Member, type ServedProject } from './served-project.ts'

async function school(): Promise<{ project: ServedProject; member: Member; rename: (to: string) => void }> {
  const project = await servedProject()
  const member = await project.member('us', await project.price('us', 1_200))
  await project.advance('2026-12-10T12:00:00Z')
  await project.ready()
  project.stage('target')
  expect((await project.run('apply', '--yes')).code).toBe(0)
  const rename = (to: string): void =>
    project.edit('project.yaml', (text) => text.replace(/project: .*/, `project: ${to}`))
  rename('academy')
  return { project, member, rename }
}

/** The moved member is named with the way back, which then works. */
async function isNamed(project: ServedProject, { subscription }: Member, rename: (to: string) => void): Promise<void> {
  const verify = await project.run('verify')
  expect(verify.code).toBe(2)
  expect(verify.stdout).toContain(`us/${subscription}`)
  expect(verify.stdout).toContain('write the earlier name again')
  rename('school')
  expect((await project.run('plan', '--detailed-exitcode')).code).toBe(0)
  expect((await project.run('verify')).code).toBe(0)
}

test('a renamed project marks nothing with its new name without an allowance', { timeout: 60_000 }, async () => {
  const { project, member, rename } = await school()
  await using _closed = project
  const before = await project.stripe('target').prices.list()
  const plan = await project.run('plan')
  expect(plan.stdout).toContain('project_renamed')
  expect(plan.stdout).toContain('other_project')
  const applied = await project.run('apply', '--yes')
  expect(applied.code).toBe(1)
  expect(applied.stderr).toContain('--allow project_renamed')
  expect((await project.stripe('target').prices.list()).data).toEqual(before.data)
  await isNamed(project, member, rename)
})

test('a renamed project in a fresh checkout creates nothing again', { timeout: 60_000 }, async () => {
  const { project, member, rename } = await school()
  await using _closed = project
  const before = await project.stripe('target').prices.list()
  project.loseStore()
  const plan = await project.run('plan')
  expect(plan.stdout).toMatch(/natural_key_taken[^]*write the earlier name again/)
  await project.run('apply', '--yes')
  expect((await project.stripe('target').prices.list()).data).toEqual(before.data)
  await isNamed(project, member, rename)
})
