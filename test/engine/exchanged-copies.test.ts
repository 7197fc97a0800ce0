import { expect, test, vi } from 'vitest'
import type { Context } from '../../src/engine/context.ts'
import { importCopyMap } from '../../src/engine/copy-map.ts'
import type { CopyMapRow } from '../../src/engine/ports.ts'
import { verify } from '../../src/engine/verify/verify.ts'
import { openStore } from '../../src/store/open.ts'
import { type Members, members } from './members.ts'
import { boundaries, dieAt, planAndApply, told } from './rig.ts'

vi.setConfig({ testTimeout: 120_000 })

const now = '2026-10-05T12:00:00Z'
const two = [{ since: '2026-09-20T09:15:00Z' }, { since: '2026-09-20T10:15:00Z' }] as const

/** Another machine whose copy map gives each of the two customers the new ids of the other. */
async function withExchanged(context: Context): Promise<Context> {
  const rows: Omit<CopyMapRow, 'importedAt'>[] = []
  for await (const { importedAt: _at, ...row } of context.store.copyMap('us')) rows.push(row)
  const exchanged = rows.map((row, at) => {
    const { customerNew, sourceNew } = rows[rows.length - 1 - at] ?? row
    return { ...row, customerNew, sourceNew }
  })
  const other = { ...context, store: await openStore({ file: ':memory:' }), run: `${context.run}-elsewhere` }
  await importCopyMap(other, 'us', exchanged)
  return other
}

async function reverted(renewed: string, work: (school: Members) => Promise<void>) {
  await using school = await members(two, now)
  await planAndApply(school.stage('target'))
  await school.advance(renewed)
  const before = school.rig.sent.length
  await work(school)
  const requests = school.rig.sent.length - before
  const { violations } = await verify(school.stage('source'))
  await school.advance('2026-11-21T00:00:00Z')
  return { requests, codes: violations.map(({ code }) => code), charges: await school.charges() }
}

for (const [renewed, when] of [
  ['2026-10-10T12:00:00Z', 'before the renewal'],
  ['2026-10-21T12:00:00Z', 'after the target charged the renewal'],
] as const)
  test(`promise 5: a revert ${when} was killed, the store lost and the copy map mixed up: each period is charged once`, async () => {
    const clean = await reverted(renewed, async (school) => void (await planAndApply(school.stage('source'))))
    expect(clean).toMatchObject({ codes: [] })
    expect(clean.charges.map((theirs) => theirs.length)).toEqual([3, 3])
    for (const boundary of boundaries(clean.requests).filter(({ side }) => side === 'after')) {
      const killed = await reverted(renewed, async (school) => {
        await dieAt(school.stage('source'), boundary, planAndApply)
        const other = await withExchanged(school.stage('source'))
        await planAndApply(other)
        await planAndApply(other)
      })
      const { codes, charges } = killed
      expect({ at: told(boundary), codes, charges }).toEqual({
        at: told(boundary),
        codes: [],
        charges: clean.charges,
      })
    }
  })
