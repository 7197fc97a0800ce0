import type { Json } from '../core/json.ts'

const deepest = 32

/**
 * Parses a body of at most 256 kB. Undefined when it is not JSON or is nested deeper than any
 * genuine message.
 */
export function parseBody(body: string): Json | undefined {
  if (nesting(body) > deepest) return undefined
  try {
    return JSON.parse(body) as Json
  } catch {
    return undefined
  }
}

/** The deepest nesting of brackets outside strings. */
function nesting(text: string): number {
  let depth = 0
  let most = 0
  let inText = false
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (inText) {
      if (code === 0x5c) at++
      else if (code === 0x22) inText = false
    } else if (code === 0x22) inText = true
    else if (code === 0x5b || code === 0x7b) most = Math.max(most, ++depth)
    else if (code === 0x5d || code === 0x7d) depth--
  }
  return most
}
