import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { accessDriftCodes } from '../../src/access/codes.ts'
import { violationCodes } from '../../src/engine/verify/verify.ts'
import { alarmCodes, blockedCodes, deferredCodes, type CodeEntry } from '../../src/handover/codes.ts'
import { doerOf, doers } from '../../src/handover/doers.ts'
import { runCodes } from '../../src/handover/run-codes.ts'
import { leaveCodes } from '../../src/catalog/leave-codes.ts'
import { cardCodes } from '../../src/handover/card-codes.ts'
import { violations } from '../../src/handover/violation-codes.ts'
import { noticeCodes } from '../../src/plan/notice-codes.ts'
import { resourceBlockedCodes, resourceDriftCodes } from '../../src/plan/resources/codes.ts'

const path = fileURLToPath(new URL('../../docs/codes.md', import.meta.url))

const byCode: Readonly<Record<string, keyof typeof doers | undefined>> = doerOf
const leavable: readonly string[] = leaveCodes

/** Who acts, and whether a line of project.yaml can leave these subscribers in the old account. */
function whoActs(code: string): string {
  const doer = byCode[code]
  if (doer === undefined) return ''
  const left = leavable.includes(code) ? ' `policies.leave` can name it.' : ''
  return `\n\n**Who acts.** ${doers[doer].slice(0, 1).toUpperCase()}${doers[doer].slice(1)}.${left}`
}

function section(
  title: string,
  about: string,
  codes: Readonly<Record<string, CodeEntry>>,
  more = (_code: string): string => '',
): string {
  const entries = Object.entries(codes).map(
    ([code, { meaning, fix }]) => `### ${code}\n\n${meaning}\n\n**What to do.** ${fix}${more(code)}\n`,
  )
  return `## ${title}\n\n${about}\n\n${entries.join('\n')}`
}

const text = `# Codes

At each moment, every subscriber has exactly one outcome: *unchanged, moved, settled, reverted, deferred, blocked, excluded, ending, ended*. Deferred and blocked
subscribers have a code, and so does every violation that \`crossbill verify\` finds. Codes never change their meaning. This page is generated from the program.

${section('Deferred', 'The subscriber cannot be moved yet. A later plan moves it without further action.', deferredCodes)}
${section('Blocked', 'The subscriber cannot be moved until a person decides. Until then the old account continues to bill. A code under `policies.leave` of project.yaml, with a reason, is such a decision: its subscribers stay in the old account and count as excluded.', blockedCodes, whoActs)}
${section('Stopped under way', 'A hand-over started and stopped before its end. It changed nothing, or it undid what it had started.', runCodes)}
${section('Alarms', 'A hand-over waits for a definite answer or for a person. The old subscription stays on hold until then, because a missed charge can be repaired and a double charge cannot.', alarmCodes)}
${section('Violations', '`verify` finds these. Each has a fix.', violations)}
${section('Notices', '`pull`, `plan`, `verify` and `report` show these. Crossbill does not act on them. A notice that already breaks a promise is also a violation of `verify`.', noticeCodes)}
${section('Cards', '`cards check` finds these: payment methods whose next renewal in the target will probably fail. It asks no bank, and no member notices.', cardCodes)}
${section('Objects that are blocked', 'A declared object is not changed. The rest of the plan can be applied.', resourceBlockedCodes)}
${section('Drift of objects', 'Changes to declared objects made outside Crossbill, as `plan` and `drift` show them.', resourceDriftCodes)}
${section('Drift of access', 'Changes made outside Crossbill to access that Crossbill granted, as `drift` shows them.', accessDriftCodes)}`

describe('docs/codes.md', () => {
  it('explains the meaning and the fix of every code (CROSSBILL_UPDATE_DOCS=1 writes it)', () => {
    if (process.env['CROSSBILL_UPDATE_DOCS'] === '1') writeFileSync(path, text)
    expect(readFileSync(path, 'utf8')).toBe(text)
  })

  it('contains exactly the violations that verify can find', () => {
    expect(Object.keys(violations).toSorted()).toEqual([...violationCodes].toSorted())
  })
})
