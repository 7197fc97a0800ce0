import { expect, test } from 'vitest'
import { servedProject } from './served-project.ts'

/** The two accounts of project.yaml under each other's name. */
function exchanged(text: string): string {
  const line = (name: string): string => new RegExp(`^  ${name}: (.*)$`, 'm').exec(text)?.[1] ?? ''
  const [target, us] = [line('target'), line('us')]
  return text.replace(target, '#').replace(us, target).replace('#', us)
}

test.each(['moved', 'only applied'])(
  'accounts exchanged in project.yaml get nothing written, whatever the store knows (%s)',
  { timeout: 90_000 },
  async (how) => {
    await using project = await servedProject()
    const member = await project.member('us', await project.price('us', 1_200))
    await project.advance('2026-12-10T12:00:00Z')
    await project.ready()
    if (how === 'moved') project.stage('target')
    expect((await project.run('apply', '--yes')).code).toBe(0)
    expect((await project.run('verify')).code).toBe(0)
    const right = await project.stripe('us').prices.list({ limit: 100 })
    project.edit('project.yaml', exchanged)
    for (const loses of [false, true]) {
      if (loses) project.loseStore()
      const plan = await project.run('plan')
      expect(plan.stdout + plan.stderr).toContain('accounts_exchanged')
      const applied = await project.run('apply', '--yes')
      expect(applied.code).toBe(1)
      expect(applied.stderr).toContain('correct `accounts` in catalog/project.yaml')
      expect((await project.run('verify')).stdout).toContain('accounts_exchanged')
    }
    expect(await project.stripe('us').prices.list({ limit: 100 })).toEqual(right)
    project.edit('project.yaml', exchanged)
    expect((await project.run('verify')).code).toBe(0)
    expect(await project.live('target', member.customer)).toHaveLength(how === 'moved' ? 1 : 0)
  },
)
