import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { servedProject, type Member, type ServedProject } from './served-project.ts'

/** Two members of one old account, moved; a second old account without members. */
async function school(): Promise<{ project: ServedProject; moved: Member; other: Member }> {
  const project = await servedProject({ sources: ['us', 'intl'] })
  const [small, large] = [await project.price('us', 1_200), await project.price('us', 3_400)]
  const [moved, other] = [await project.member('us', small), await project.member('us', large)]
  await project.advance('2026-12-10T12:00:00Z')
  await project.ready()
  project.stage('target')
  expect((await project.run('apply', '--yes')).code).toBe(0)
  return { project, moved, other }
}

const lines = (text: string): readonly string[] => text.split('\n').filter((line) => line.includes('entry_differs'))

test(
  'a wrong price at a moved member is in the plan and in verify, and pull corrects it',
  { timeout: 60_000 },
  async () => {
    const { project, moved } = await school()
    await using _closed = project
    const [path = '', text = ''] = [...project.waves()][0] ?? []
    const at = text.indexOf(moved.subscription)
    const [, right] = /price: ([\w-]+)/.exec(text.slice(at)) ?? []
    const prices = [...text.matchAll(/price: ([\w-]+)/g)].map(([, key]) => key)
    const wrong = prices.find((key) => key !== right) ?? ''
    project.edit(path, () => text.slice(0, at) + text.slice(at).replace(/price: [\w-]+/, `price: ${wrong}`))
    expect(project.waves().get(path)).not.toBe(text)
    const plan = await project.run('plan')
    expect(lines(plan.stdout)).toHaveLength(1)
    expect(plan.stdout).toContain(`the entry says ${wrong} × 1`)
    const verify = await project.run('verify')
    expect(verify.code).toBe(2)
    expect(verify.stdout).toContain(`us/${moved.subscription}`)
    const pull = await project.run('pull')
    expect(pull.code).toBe(0)
    expect(project.waves().get(path)).toBe(text)
    expect((await project.run('verify')).code).toBe(0)
  },
)

test('a wave file copied into the folder of another source counts no subscriber', { timeout: 60_000 }, async () => {
  const { project } = await school()
  await using _closed = project
  mkdirSync(join(project.folder, 'catalog/subscribers/intl'), { recursive: true })
  for (const [path, text] of project.waves())
    writeFileSync(join(project.folder, 'catalog', path.replace('/us/', '/intl/')), text)
  const plan = JSON.parse((await project.run('plan', '--format', 'json')).stdout) as { people: Record<string, number> }
  expect(plan.people).toEqual({ unchanged: 2 })
  const verify = await project.run('verify', '--format', 'json')
  expect(verify.code).toBe(2)
  const { checked, violations } = JSON.parse(verify.stdout) as { checked: number; violations: { code: string }[] }
  expect(checked).toBe(2)
  expect(violations.map(({ code }) => code)).toEqual(['not_in_source', 'not_in_source'])
})
