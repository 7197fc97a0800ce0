import { CST, type Document, isAlias, isMap, isScalar, isSeq, Lexer, type Pair, Scalar, visit } from 'yaml'

/*
 * A value means what a person wrote, or it is refused. YAML reads `49.00`, `4.9e3`, `0x1324` and `4900` as one number, `1e3:` as the key `1000`, and gives some
 * collections another type by a tag. Amounts are money and keys are ids, so both keep their spelling here, and every form that would be read as something else is
 * refused by name.
 */

/** A part of a text that has another meaning than it seems to have. */
export interface OddForm {
  readonly offset: number
  readonly message: string
  readonly fix: string
}

/** Tags, directives and line ends, which no parsed tree shows. */
export function oddForms(text: string): readonly OddForm[] {
  const loose = text.search(/\r(?!\n)/)
  const lineEnd =
    loose === -1
      ? []
      : [
          {
            offset: loose,
            message: 'a carriage return stands alone here',
            fix: 'end lines with a line feed, or with both',
          },
        ]
  // Only a text with one of these signs can hold a tag or a directive.
  return /!|^%/m.test(text) ? [...lineEnd, ...marked(text)] : lineEnd
}

/** The scanner puts these before and between tokens; they are no part of the text. */
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
          message: `the tag ${token} is not read here`,
          fix: 'remove it; text that looks like a number goes into quotes',
        })
      else if (type === 'directive-line' && !/^%YAML 1\.2\s*$/.test(token))
        found.push({ offset, message: `the directive ${token.trim()} is not read here`, fix: 'remove this line' })
    }
    isContent = false
    // A byte order mark is a token of its own.
    if (token !== '\uFEFF') offset += token.length
  }
  return found
}

/** Keys as they are spelled: `1e3` is not `1000`, and `null` is a word. */
export function spellKeys(document: Document): void {
  visit(document, {
    Scalar(role, node) {
      if (role === 'key' && node.type === Scalar.PLAIN && node.source !== undefined && node.source !== '')
        node.value = node.source
    },
  })
}

/** The merge key, which YAML 1.2 no longer has: it would be taken for an ordinary one. */
export function isMergeKey({ key }: Pair): boolean {
  return isScalar(key) && key.value === '<<'
}

const whole = /^-?(?:0|[1-9]\d*)$/
const fraction = /^-?(?:0|[1-9]\d*)\.\d+$/

export interface OddNumber extends Pick<OddForm, 'message' | 'fix'> {
  /** `number-form`: a whole number written as a fraction, which is right where places may stand. */
  readonly rule: 'yaml-form' | 'number-form'
  readonly text: string
}

/** Why a plain scalar that YAML reads as a number is not taken for one; undefined for one that says what it means. */
function oddNumber(node: unknown): OddNumber | undefined {
  if (!isScalar(node) || typeof node.value !== 'number' || node.type !== Scalar.PLAIN) return undefined
  const { source: text = '', value } = node
  const isFraction = fraction.test(text)
  if (text === '-0' || !(whole.test(text) || isFraction)) {
    const plain = exact(value)
    const digits = Number.isFinite(value) && plain !== text && !plain.includes('e') ? ` (${plain})` : ''
    const fix = `write it with its digits alone${digits}; text goes into quotes`
    return { rule: 'yaml-form', text, message: `${text} is not a number in plain decimal form`, fix }
  }
  const isExact = isFraction ? trimmed(text) === trimmed(exact(value)) : Number.isSafeInteger(value)
  if (!isExact) {
    const fix = 'write a number with fewer digits, or text in quotes'
    return { rule: 'yaml-form', text, message: `${text} has more digits than are read`, fix }
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

/** Every odd number of a document. Paths are joined by `key`. */
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
      // What a whole collection is made of is found where it is written.
      const named = node.resolve(document)
      if (isScalar(named)) walk(named, path)
    }
  }
  walk(document.contents, [])
  return found
}
