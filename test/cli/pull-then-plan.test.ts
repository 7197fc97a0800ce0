import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { everyShape } from '../kinds/every-shape.ts'
import { servedProject } from './served-project.ts'

test.each(everyShape().map((sections, at) => [at, sections] as const))(
  'pull, then plan: nothing to do on an account with every kind in every shape (%i), for a checkout without its files',
  { timeout: 120_000 },
  async (_at, sections) => {
    await using project = await servedProject()
    const customers = await Promise.all(
      ['One', 'Two'].map(async (name) => (await project.stripe('target').customers.create({ name })).id),
    )
    // JSON is YAML. Promotion codes are for customers who exist.
    const text = JSON.stringify(sections)
      .replaceAll('cus_ONE', customers[0] ?? '')
      .replaceAll('cus_TWO', customers[1] ?? '')
    const written = join(project.folder, 'catalog/shapes.yaml')
    writeFileSync(written, text)
    expect(await project.run('apply', '--yes')).toMatchObject({ code: 0 })
    const done = { code: 0, stdout: expect.stringContaining('Nothing to do') as string }
    expect(await project.run('plan', '--detailed-exitcode')).toMatchObject(done)

    // Another checkout that has nothing but project.yaml, and no store.
    rmSync(written)
    project.loseStore()
    expect(await project.run('pull', '--source', 'target')).toMatchObject({ code: 0 })
    expect(await project.run('plan', '--detailed-exitcode')).toMatchObject(done)
    const pulled = project.waves()
    expect(await project.run('pull', '--source', 'target')).toMatchObject({ code: 0 })
    expect(project.waves()).toEqual(pulled)
    expect(await project.run('plan', '--detailed-exitcode')).toMatchObject(done)
  },
)
