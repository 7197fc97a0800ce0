import { formatInstant } from '../../core/instant.ts'
import { documentWith } from '../../files/outputs.ts'
import { storedDocument } from './stored.ts'
import type { RehearsalReport } from '../../engine/rehearse/report.ts'

/**
 * What a rehearsal leaves for the evidence packet: the last run without faults and the last one
 * with them, each in a file of its own.
 */
export interface RehearsalRecord extends RehearsalReport {
  readonly format: 1
  readonly tool: string
  /** When the accounts were read. */
  readonly at: string
  readonly withFaults: boolean
}

/** The record of an earlier rehearsal. */
export const recordKind = documentWith('the record of a rehearsal', 'at', 'withFaults')

/** Below report/ in the project. */
export const recordFiles = ['rehearsal.json', 'rehearsal-faults.json'] as const

export function recordFile({ withFaults }: Pick<RehearsalRecord, 'withFaults'>): string {
  return recordFiles[withFaults ? 1 : 0]
}

/** The page of a rehearsal, below report/ too; one with faults never replaces one without. */
export function pageFile(of: Pick<RehearsalRecord, 'withFaults'>): string {
  return recordFile(of).replace(/json$/, 'html')
}

export function recordOf(report: RehearsalReport, tool: string, withFaults: boolean): RehearsalRecord {
  return { format: 1, tool, at: formatInstant(report.began), withFaults, ...report }
}

/** The record in a file; undefined for anything else, also for another version. */
export function readRecord(text: string): RehearsalRecord | undefined {
  const read: Partial<RehearsalRecord> | undefined = storedDocument(text)
  const whole = Array.isArray(read?.days) && Array.isArray(read.standing) && read.people !== undefined
  return whole ? (read as RehearsalRecord) : undefined
}
