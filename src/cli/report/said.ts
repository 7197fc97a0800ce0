import { blockedCodes, deferredCodes, type CodeEntry } from '../../handover/codes.ts'
import { violations } from '../../handover/violation-codes.ts'
import { codesSlug } from './document.ts'

const registry: Readonly<Record<string, CodeEntry | undefined>> = { ...deferredCodes, ...blockedCodes, ...violations }

export function codeEntry(code: string): CodeEntry | undefined {
  return registry[code]
}

/** What a code means, in the words of its registry; the code itself when it is unknown. */
function meaningOf(code: string): string {
  return registry[code]?.meaning ?? code.replaceAll('_', ' ')
}

/** A code as small print, with a link to its explanation where there is one. */
export function fine(code: string): string {
  return registry[code] === undefined ? `\`${code}\`` : `[${code}](${codesSlug})`
}

/** The words of a code, and the code behind them. */
export function said(code: string): string {
  return `${meaningOf(code)} ${fine(code)}`
}
