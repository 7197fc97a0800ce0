import { pino } from 'pino'
import { withoutAddresses as without } from '../core/without-addresses.ts'
import type { LogLine } from '../engine/inbox/context.ts'
import { countRepeated } from './repeated-lines.ts'

/**
 * Writes JSON lines with an ISO time. Lines hold ids and words only; as a last resort, anything
 * that looks like an e-mail address is removed. Repeated failures are counted.
 */
export function openLog(destination: { write(text: string): void }): (line: LogLine) => void {
  const logger = pino(
    { base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (level) => ({ level }) } },
    destination,
  )
  return countRepeated(({ level, event, ...rest }) => logger[level]({ event, ...withoutAddresses(rest) }))
}

/** Longest value in characters; ids and words are shorter. */
const longest = 2_000

function withoutAddresses(rest: Readonly<Record<string, string | number | boolean | undefined>>) {
  const entries = Object.entries(rest).map(([name, value]) => [
    name,
    typeof value === 'string' ? without(value.slice(0, longest), '(address)') : value,
  ])
  return Object.fromEntries(entries) as Record<string, string | number | boolean | undefined>
}
