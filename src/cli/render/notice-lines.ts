import type { Notice } from '../../plan/types.ts'
import { firstFew, groupBy, when } from './words.ts'

const shownMax = 6

/** The notices by code, each with its fix. */
export function noticeLines(notices: readonly Notice[]): string[] {
  return [...groupBy(notices, ({ code }) => code)].flatMap(([code, members]) => {
    const { shown, more } = firstFew(members, shownMax)
    return [
      `  ${code} (${members.length})`,
      ...shown.flatMap((one) => [`    ${one.subscriber}${dateOf(one)}: ${one.message}`, `      ${one.fix}`]),
      ...(more === 0 ? [] : [`    … and ${more} more (--format json lists all)`]),
    ]
  })
}

/** ` on 2027-02-01 00:00:00 UTC` */
function dateOf({ at }: Notice): string {
  return at === null ? '' : ` on ${when(at)}`
}
