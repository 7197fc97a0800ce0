import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from '../house/sources.ts'
import { crossbill } from './crossbill.ts'

test('pull, plan, verify, rehearse and report count the same people, and say why a part is smaller', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'crossbill-total-'))
  const run = async (...line: string[]): Promise<string> => {
    const { code, stdout, stderr } = await crossbill([...line, '--quiet'], folder)
    expect({ line, code, stderr }).toEqual({ line, code: 0, stderr: '' })
    return stdout
  }
  const stage = (from: string, to: string): void => {
    const path = join(folder, 'catalog/subscribers/us/wave-01-pilot.yaml')
    writeFileSync(path, readFileSync(path, 'utf8').replace(`stage: ${from}`, `stage: ${to}`))
  }
  try {
    cpSync(join(root, 'catalog'), join(folder, 'catalog'), { recursive: true })
    await run('apply', '--yes')
    await run('sandbox', '--advance-to', '2027-01-20T12:00:00Z')
    stage('target', 'settled')
    await run('apply', '--yes')
    const sum = (counts: Readonly<Record<string, number>>): number =>
      Object.values(counts).reduce((all, count) => all + count, 0)

    const { people } = JSON.parse(await run('plan', '--format', 'json')) as { people: Record<string, number> }
    const all = sum(people)
    const { ended = 0 } = people
    expect({ all, ended }).toEqual({ all: 59, ended: 2 })
    expect(await run('plan')).toMatch(/^59 subscribers: .*2 ended\.$/m)
    expect(await run('verify')).toContain(
      '59 subscribers in target, us, intl, 57 of them billed by exactly one account',
    )
    expect(JSON.parse(await run('verify', '--format', 'json'))).toMatchObject({ checked: all, ended })
    const { people: played } = JSON.parse(await run('rehearse', '--months', '1', '--format', 'json')) as {
      people: Record<string, number>
    }
    expect(played).toEqual({ declared: all, played: 52, moved: 0, settled: 5, ended })
    const report = JSON.parse(await run('report', '--format', 'json')) as Record<string, Record<string, number>>
    expect(sum(report['places'] ?? {})).toBe(all)
    expect(report['places']).toMatchObject({ settled: 5, ended })
    const way = JSON.parse(await run('report', '--format', 'json')) as { way: Record<string, readonly string[]> }
    expect(Object.values(way.way).flat()).toHaveLength(all)
    expect(await run('pull')).toContain(
      '59 subscribers in the YAML: 52 live in the accounts that were read, 7 settled, ended or in another account.',
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}, 240_000)
