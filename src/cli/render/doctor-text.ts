import type { DoctorFinding } from '../../engine/finding.ts'
import type { ChalkInstance } from 'chalk'
import type { DoctorResult } from '../../engine/doctor/doctor.ts'
import { plural } from './words.ts'

/** The checks in their order; each problem comes with its fix. */
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
      ? `No check failed${warnings === 0 ? '.' : `. Look at ${plural(warnings, 'warning')} before the cutover.`}`
      : `${plural(failed, 'check')} failed.`,
  ].join('\n')
}
