import { CST, type Document, isAlias, isMap, isScalar, isSeq, Lexer, type Pair, Scalar, visit } from 'yaml'

/*
 * A value means what its text says, or it is refused. YAML reads `49.00`, `4.9e3`, `0x1324` and
 * `4900` as numbers, reads `1e3:` as the key `1000`, and lets a tag change the type of a
 * collection. Amounts are money and keys are ids, so both keep their spelling here, and every form
 * with another YAML meaning is refused by name.
 */

/** A part of a text whose YAML meaning differs from what it suggests. */
export interface OddForm {
  readonly offset: number
  readonly message: string
  readonly fix: string
}

/** Tags, directives and line ends, which a parsed tree does not show. */
export function oddForms(text: string): readonly OddForm[] {
  const loose = text.search(/\r(?!\n)/)
  const lineEnd =
    loose === -1
      ? []
      : [
          {
            offset: loose,
            message: 'a carriage return without a line feed',
            fix: 'end lines with a line feed, or with a carriage return and a line feed',
          },
        ]
  // Only a text with one of these characters can contain a tag or a directive.
  return /!|^%/m.test(text) ? [...lineEnd, ...marked(text)] : lineEnd
}

/** The lexer emits these before and between tokens; they are not part of the text. */
const control = new Set(['\u0002', '\u0018', '\u001F'])

function marked(text: string): readonly OddForm[] {
  const found: OddForm[] = []
  let offset = text.startsWith('\uFEFF') ? 1 : 0
  let isContent = false
  for (const token of new Lexer().lex(text)) {
    if (control.has(token)) {
      isContent = token === '\u001F'
      continue
    }
    if (!isContent) {
      const type = CST.tokenType(token)
      if (type === 'tag')
        found.push({
          offset,
          message: `the tag ${token} is not supported`,
          fix: 'remove it; put text that looks like a number in quotes',
        })
      else if (type === 'directive-line' && !/^%YAML 1\.2\s*$/.test(token))
        found.push({ offset, message: `the directive ${token.trim()} is not supported`, fix: 'remove this line' })
    }
    isContent = false
    // A byte order mark is its own token and is not counted.
    if (token !== '\uFEFF') offset += token.length
  }
  return found
}

/** Keeps keys as written: `1e3` does not become `1000`, and `null` stays text. */
export function spellKeys(document: Document): void {
  visit(document, {
    Scalar(role, node) {
      if (role === 'key' && node.type === Scalar.PLAIN && node.source !== undefined && node.source !== '')
        node.value = node.source
    },
  })
}

/** The merge key. YAML 1.2 has none, so the parser would read it as an ordinary key. */
export function isMergeKey({ key }: Pair): boolean {
  return isScalar(key) && key.value === '<<'
}

const whole = /^-?(?:0|[1-9]\d*)$/
const fraction = /^-?(?:0|[1-9]\d*)\.\d+$/

export interface OddNumber extends Pick<OddForm, 'message' | 'fix'> {
  /**
   * `number-form`: a whole number written with decimals, which is valid where decimals are allowed.
   */
  readonly rule: 'yaml-form' | 'number-form'
  readonly text: string
}

/** Why a plain scalar is not accepted as a number; undefined when its text is unambiguous. */
function oddNumber(node: unknown): OddNumber | undefined {
  if (!isScalar(node) || typeof node.value !== 'number' || node.type !== Scalar.PLAIN) return undefined
  const { source: text = '', value } = node
  const isFraction = fraction.test(text)
  if (text === '-0' || !(whole.test(text) || isFraction)) {
    const plain = exact(value)
    const digits = Number.isFinite(value) && plain !== text && !plain.includes('e') ? ` (${plain})` : ''
    const fix = `write only its digits${digits}; put text in quotes`
    return { rule: 'yaml-form', text, message: `${text} is not a number in plain decimal form`, fix }
  }
  const isExact = isFraction ? trimmed(text) === trimmed(exact(value)) : Number.isSafeInteger(value)
  if (!isExact) {
    const fix = 'write a number with fewer digits, or text in quotes'
    return { rule: 'yaml-form', text, message: `${text} has more digits than can be stored exactly`, fix }
  }
  if (!isFraction || !Number.isInteger(value)) return undefined
  const fix = 'amounts are whole numbers of the smallest unit of the currency: 49.00 usd is 4900, and 4900 jpy is 4900'
  return { rule: 'number-form', text, message: '', fix }
}

/** A number without an exponent. */
function exact(value: number): string {
  const text = String(value)
  return text.includes('e') ? value.toFixed(20) : text
}

function trimmed(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}

/** Every odd number of a document. `key` joins the steps of a path. */
export function oddNumbersIn(
  document: Document,
  key: (path: readonly (string | number)[]) => string,
): ReadonlyMap<string, OddNumber> {
  const found = new Map<string, OddNumber>()
  const walk = (node: unknown, path: readonly (string | number)[]): void => {
    const odd = oddNumber(node)
    if (odd !== undefined) found.set(key(path), odd)
    else if (isMap(node))
      for (const { key: name, value } of node.items) walk(value, [...path, isScalar(name) ? String(name.value) : ''])
    else if (isSeq(node)) for (const [index, item] of node.items.entries()) walk(item, [...path, index])
    else if (isAlias(node)) {
      // A collection is checked where it is written, so only scalars are followed.
      const named = node.resolve(document)
      if (isScalar(named)) walk(named, path)
    }
  }
  walk(document.contents, [])
  return found
}
