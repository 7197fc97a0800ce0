import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { accessDriftCodes } from '../../src/access/codes.ts'
import { violationCodes } from '../../src/engine/verify/verify.ts'
import { alarmCodes, blockedCodes, deferredCodes, runCodes, type CodeEntry } from '../../src/handover/codes.ts'
import { violations } from '../../src/handover/violation-codes.ts'
import { noticeCodes } from '../../src/plan/notice-codes.ts'
import { resourceBlockedCodes, resourceDriftCodes } from '../../src/plan/resources/codes.ts'

const path = fileURLToPath(new URL('../../docs/codes.md', import.meta.url))

function section(title: string, about: string, codes: Readonly<Record<string, CodeEntry>>): string {
  const entries = Object.entries(codes).map(
    ([code, { meaning, fix }]) => `### ${code}\n\n${meaning}\n\n**What to do.** ${fix}\n`,
  )
  return `## ${title}\n\n${about}\n\n${entries.join('\n')}`
}

const text = `# Codes

Every subscriber is at each moment exactly one of *unchanged, moved, settled, reverted, deferred, blocked, excluded, ending, ended*. Deferred and blocked ones carry a
code; so does every violation that \`crossbill verify\` finds. Codes never change their meaning. This page is generated from the program.

${section('Deferred', 'Cannot be moved yet; moves by itself with a later plan.', deferredCodes)}
${section('Blocked', 'Cannot be moved as things stand; somebody decides. Meanwhile the old account goes on billing.', blockedCodes)}
${section('Stopped under way', 'A hand-over that had begun and was not done. It left everything as it was, or took back what it had begun.', runCodes)}
${section('Alarms', 'A hand-over that waits for a positive answer or for a person. The old subscription stays on hold meanwhile: a missed charge can be repaired, a double one cannot.', alarmCodes)}
${section('Violations', 'Found by `verify`; each with what mends it.', violations)}
${section('Notices', 'Pointed out by `pull`, `plan`, `verify` and `report`; nothing is done about them. Those that break a promise already are violations of `verify` as well.', noticeCodes)}
${section('Objects that are blocked', 'A declared object that is left as it is: everything else in the plan can be done.', resourceBlockedCodes)}
${section('Drift of objects', 'What happened to declared objects outside, shown by `plan` and `drift`.', resourceDriftCodes)}
${section('Drift of access', 'What happened outside to access that Crossbill gave, shown by `drift`.', accessDriftCodes)}`

describe('docs/codes.md', () => {
  it('says of every code what it means and what to do (CROSSBILL_UPDATE_DOCS=1 writes it)', () => {
    if (process.env['CROSSBILL_UPDATE_DOCS'] === '1') writeFileSync(path, text)
    expect(readFileSync(path, 'utf8')).toBe(text)
  })

  it('knows every violation that verify can find, and no other', () => {
    expect(Object.keys(violations).toSorted()).toEqual([...violationCodes].toSorted())
  })
})
