import type { DoctorFinding } from '../../engine/finding.ts'
import type { ChalkInstance } from 'chalk'
import type { DoctorResult } from '../../engine/doctor/doctor.ts'
import { plural } from './words.ts'

/** Checks in the order they were made: what is wrong says what to do. */
export function doctorText({ ok, findings }: DoctorResult, paint: ChalkInstance): string {
  const marks: Readonly<Record<DoctorFinding['status'], string>> = {
    ok: paint.green('ok     '),
    warning: paint.yellow('warning'),
    failed: paint.red('failed '),
  }
  const warnings = findings.filter((finding) => finding.status === 'warning').length
  const failed = findings.filter((finding) => finding.status === 'failed').length
  return [
    ...findings.flatMap(({ check, status, account, message, fix }) => [
      `${marks[status]} ${account === undefined ? '' : `${account}: `}${check}: ${message}`,
      ...(status === 'ok' || fix === '' ? [] : [`          ${fix}`]),
    ]),
    '',
    ok
      ? `Nothing is in the way${warnings === 0 ? '.' : `; ${plural(warnings, 'thing')} to look at before the cutover.`}`
      : `${plural(failed, 'check')} failed.`,
  ].join('\n')
}
