import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { servedProject } from './served-project.ts'

/** The copy map with the new ids of its two members swapped, as after sorting two columns alone. */
function swapped(csv: string): string {
  const [header = '', ...rows] = csv.trim().split('\n')
  const cells = rows.map((row) => row.split(','))
  const mixed = cells.map(([customer, source], at) => {
    const other = cells[cells.length - 1 - at] ?? []
    return [customer, source, ...other.slice(2)].join(',')
  })
  return `${[header, ...mixed].join('\n')}\n`
}

test(
  'a copy map with mixed-up rows moves no member onto the card of another; the file from Stripe corrects it',
  { timeout: 90_000 },
  async () => {
    await using project = await servedProject()
    const price = await project.price('us', 1_200)
    const [one, other] = [await project.member('us', price), await project.member('us', price)]
    await project.advance('2026-12-10T12:00:00Z')
    await project.copy()
    const right = readFileSync(join(project.folder, 'us.csv'), 'utf8')
    const done = async (...words: string[]): Promise<string> => {
      const ran = await project.run(...words)
      expect({ words, code: ran.code, text: ran.stdout + ran.stderr }).toMatchObject({ code: 0 })
      return ran.stdout
    }
    await done('pull')
    writeFileSync(join(project.folder, 'us.csv'), swapped(right))
    await done('copy-map', 'import', 'us.csv')
    const check = await project.run('copy-map', 'check')
    expect(check.code).toBe(2)
    expect(check.stdout).toContain('us: 0 of 2 subscribers are ready')
    expect(check.stdout).toContain(`customer_id_old ${one.customer}, customer_id_new ${other.customer}`)
    expect(check.stdout).not.toContain('@')

    project.stage('target')
    await project.run('apply', '--yes')
    expect(await project.live('target', one.customer)).toEqual([])
    expect(await project.live('target', other.customer)).toEqual([])

    // A person can confirm it; without the confirmation, verify shows where the member is.
    const files = project.waves()
    for (const [path, text] of files)
      project.edit(path, () => text.replace(`  ${one.subscription}:\n`, `$&    override: [copy_mismatch]\n`))
    await project.run('apply', '--yes')
    expect(await project.live('target', other.customer)).toHaveLength(1)
    for (const [path, text] of files) project.edit(path, () => text)
    const wrong = await project.run('verify')
    expect(wrong.stdout).toContain('copy_mismatch')

    project.stage('source')
    await done('apply', '--yes')
    writeFileSync(join(project.folder, 'us.csv'), right)
    expect(await done('copy-map', 'import', 'us.csv')).toContain('2 changed')
    expect(await done('copy-map', 'check')).toContain('us: 2 of 2 subscribers are ready')
    project.stage('target')
    await done('apply', '--yes')
    expect(await project.live('target', one.customer)).toHaveLength(1)
    expect(await project.live('target', other.customer)).toHaveLength(1)
    await done('verify')
  },
)
