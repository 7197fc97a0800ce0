import { formatInstant } from '../../core/instant.ts'
import { documentWith } from '../../files/outputs.ts'
import { storedDocument } from './stored.ts'
import type { RehearsalReport } from '../../engine/rehearse/report.ts'

/**
 * What a rehearsal leaves for the evidence packet: the last run without faults and the last one
 * with them, each in a file of its own.
 */
export interface RehearsalRecord extends Omit<RehearsalReport, 'differences' | 'standing'> {
  readonly format: 1
  readonly tool: string
  /** When the accounts were read. */
  readonly at: string
  readonly withFaults: boolean
  /** Subscribers who are not moved until a person decides. */
  readonly undecided: number
}

/** The record of an earlier rehearsal. */
export const recordKind = documentWith('the record of a rehearsal', 'at', 'withFaults')

/** Below report/ in the project. */
export const recordFiles = ['rehearsal.json', 'rehearsal-faults.json'] as const

export function recordFile({ withFaults }: Pick<RehearsalRecord, 'withFaults'>): string {
  return recordFiles[withFaults ? 1 : 0]
}

/** Subscribers whom the rehearsal left in the old account because they need a decision. */
export function undecidedIn({ standing }: Pick<RehearsalReport, 'standing'>): number {
  return standing.filter(({ outcome, moved }) => outcome === 'blocked' && !moved).length
}

export function recordOf(report: RehearsalReport, tool: string, withFaults: boolean): RehearsalRecord {
  const { differences: _differences, standing, ...rest } = report
  return { format: 1, tool, at: formatInstant(report.began), withFaults, undecided: undecidedIn({ standing }), ...rest }
}

/** The record in a file; undefined for anything else, also for another version. */
export function readRecord(text: string): RehearsalRecord | undefined {
  const read: Partial<RehearsalRecord> | undefined = storedDocument(text)
  return read !== undefined && Array.isArray(read.days) ? (read as RehearsalRecord) : undefined
}
