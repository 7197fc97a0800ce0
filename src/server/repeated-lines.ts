import type { LogLine } from '../engine/inbox/context.ts'

/** Milliseconds for which equal lines are counted. */
const countedMilliseconds = 60_000

/** How many different lines are counted at a time. */
const most = 1_000

/**
 * Writes a line about a failure at once. While it lasts, equal lines are counted, and each minute
 * one line says how many there were: what fails each second does not fill the log. Lines that
 * differ, for example by an id, are all written.
 */
export function countRepeated(log: (line: LogLine) => void): (line: LogLine) => void {
  const counted = new Map<string, number>()
  return (line) => {
    if (line.level !== 'error') return log(line)
    const key = JSON.stringify(line)
    const known = counted.get(key)
    if (known !== undefined) return void counted.set(key, known + 1)
    log(line)
    if (counted.size >= most) return
    counted.set(key, 0)
    setTimeout(() => {
      const repeated = counted.get(key) ?? 0
      counted.delete(key)
      if (repeated > 0) log({ ...line, repeated })
    }, countedMilliseconds).unref()
  }
}
