import { parseSync, Visitor } from 'oxc-parser'

/** One small fault in a source file: `text` replaces the text from `start` to `end`. */
export interface Mutation {
  readonly start: number
  readonly end: number
  readonly text: string
  /** The kind of fault, for the report: `=== becomes !==`. */
  readonly what: string
}

interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
}

const operators: Readonly<Record<string, string>> = {
  '===': '!==',
  '!==': '===',
  '<': '<=',
  '<=': '<',
  '>': '>=',
  '>=': '>',
  '+': '-',
  '-': '+',
  '*': '/',
  '/': '*',
  '&&': '||',
  '||': '&&',
}

const methods: Readonly<Record<string, string>> = {
  some: 'every',
  every: 'some',
  min: 'max',
  max: 'min',
  startsWith: 'endsWith',
}

/**
 * Every fault of these kinds that a file can have: an inverted comparison or condition, a boundary
 * moved by one, half of a condition omitted, a step omitted, `some` for `every`. Texts and types
 * are not changed, since no test should depend on a text by accident.
 */
export function mutationsOf(file: string, source: string): readonly Mutation[] {
  const { program, errors } = parseSync(file, source)
  if (errors.length > 0) throw new Error(`${file} does not parse`)
  const found: Mutation[] = []
  const types: Pick<Node, 'start' | 'end'>[] = []
  const text = ({ start, end }: Node): string => source.slice(start, end)
  const change = ({ start, end }: Pick<Node, 'start' | 'end'>, to: string, what: string): void =>
    void found.push({ start, end, text: to, what })

  /** The operator is between both sides, perhaps after a bracket or a line end. */
  const operator = (left: Node, right: Node, sign: string): void => {
    const to = operators[sign]
    const at = source.indexOf(sign, left.end)
    if (to !== undefined && at >= 0 && at < right.start)
      change({ start: at, end: at + sign.length }, to, `${sign} becomes ${to}`)
  }

  new Visitor({
    BinaryExpression({ left, right, operator: sign }) {
      if (sign === '+' && [left, right].some(isText)) return
      operator(left, right, sign)
    },
    LogicalExpression({ left, right, operator: sign, start, end }) {
      operator(left, right, sign)
      change({ start, end }, `(${text(left)})`, `right side of ${sign} left out`)
      if (sign !== '??') change({ start, end }, `(${text(right)})`, `left side of ${sign} left out`)
    },
    UnaryExpression({ operator: sign, argument, start, end }) {
      if (sign === '!') change({ start, end }, `(${text(argument)})`, '! left out')
    },
    ConditionalExpression({ consequent, alternate, start, end }) {
      change({ start, end }, `(${text(consequent)})`, 'always the first of two')
      change({ start, end }, `(${text(alternate)})`, 'always the second of two')
    },
    IfStatement({ test, alternate }) {
      change(test, 'false', 'if never true')
      if (alternate === null) change(test, 'true', 'if always true')
    },
    Literal({ value, start, end }) {
      if (typeof value === 'boolean') change({ start, end }, String(!value), `${value} becomes ${!value}`)
      if (typeof value === 'number') change({ start, end }, String(value + 1), `${value} becomes ${value + 1}`)
    },
    TSLiteralType({ start, end }) {
      types.push({ start, end })
    },
    CallExpression({ callee, start, end }) {
      if (callee.type !== 'MemberExpression' || callee.property.type !== 'Identifier') return
      const { name } = callee.property
      const to = methods[name]
      if (to !== undefined) change(callee.property, to, `${name} becomes ${to}`)
      if (name === 'filter' || name === 'toSorted' || name === 'toReversed')
        change({ start, end }, text(callee.object), `${name} left out`)
    },
    ExpressionStatement({ expression, start, end }) {
      if (expression.type === 'AwaitExpression' || expression.type === 'CallExpression')
        change({ start, end }, ';', 'step left out')
    },
  }).visit(program)
  return found.filter(({ start }) => !types.some((type) => start >= type.start && start < type.end))
}

function isText(node: Node): boolean {
  return (
    node.type === 'TemplateLiteral' || (node.type === 'Literal' && 'value' in node && typeof node.value === 'string')
  )
}
