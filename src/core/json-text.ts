/*
 * Large documents as text, piece by piece: a plan for a hundred thousand subscribers is longer than
 * the longest string (2^29 characters).
 */

/**
 * The pieces of `JSON.stringify(value, null, 2)`: the elements of top-level lists, one by one. No
 * part of `value` may have a `toJSON`.
 */
export function* indentedJson(value: unknown, levels = 2, indent = ''): Generator<string> {
  const inner = `${indent}  `
  const whole = (): string => JSON.stringify(value ?? null, null, 2).replaceAll('\n', `\n${indent}`)
  if (levels === 0 || typeof value !== 'object' || value === null) return yield whole()
  const isList = Array.isArray(value)
  const entries = Object.entries(value).filter(([, one]) => isList || one !== undefined)
  if (entries.length === 0) return yield whole()
  let before = isList ? '[\n' : '{\n'
  for (const [key, one] of entries) {
    yield `${before}${inner}${isList ? '' : `${JSON.stringify(key)}: `}`
    yield* indentedJson(one, levels - 1, inner)
    before = ',\n'
  }
  yield `\n${indent}${isList ? ']' : '}'}`
}

/**
 * An object as JSON with one line for each field, and for each element of a field that is a list,
 * so that it can be read and compared line by line.
 */
export function* linedJson(value: object): Generator<string> {
  yield '{\n'
  const entries = Object.entries(value).filter(([, one]) => one !== undefined)
  for (const [index, [key, one]] of entries.entries()) {
    const end = index === entries.length - 1 ? '\n' : ',\n'
    if (!Array.isArray(one) || one.length === 0) {
      yield `${JSON.stringify(key)}: ${JSON.stringify(one)}${end}`
      continue
    }
    yield `${JSON.stringify(key)}: [\n`
    for (let at = 0; at < one.length; at++)
      yield `${JSON.stringify(one[at] ?? null)}${at === one.length - 1 ? '\n' : ',\n'}`
    yield `]${end}`
  }
  yield '}\n'
}

/**
 * Reads what `linedJson` wrote. Undefined for any other layout.
 */
export async function readLinedJson(lines: AsyncIterable<string>): Promise<Record<string, unknown> | undefined> {
  // A map, because `__proto__` set on an object would be a field that no digest covers.
  const value = new Map<string, unknown>()
  let list: unknown[] | undefined
  let state: 'before' | 'inside' | 'after' = 'before'
  for await (const written of lines) {
    const line = written.endsWith(',') ? written.slice(0, -1) : written
    if (state === 'before' && line === '{') state = 'inside'
    else if (state !== 'inside') return undefined
    else if (list !== undefined && line === ']') list = undefined
    else if (list !== undefined) {
      const one = parsed(line)
      if (one === undefined) return undefined
      list.push(one.value)
    } else if (line === '}') state = 'after'
    else {
      const [, key = '', text = ''] = /^"([A-Za-z_]+)": (.*)$/s.exec(line) ?? []
      const one = text === '[' ? { value: (list = []) } : parsed(text)
      if (one === undefined || value.has(key)) return undefined
      value.set(key, one.value)
    }
  }
  return state === 'after' ? Object.fromEntries(value) : undefined
}

function parsed(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) }
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** The same text in fewer pieces, since one write for each short piece would be slow. */
export function* inBlocks(pieces: Iterable<string>, characters: number): Generator<string> {
  let block = ''
  for (const piece of pieces) {
    block += piece
    if (block.length < characters) continue
    yield block
    block = ''
  }
  yield block
}
