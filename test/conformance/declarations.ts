import { assert } from '../../src/core/assert.ts'

/** A type of the SDK's declaration files, as far as JSON needs it. */
export type Shape =
  | { is: 'string' | 'number' | 'boolean' | 'null' | 'any' }
  | { is: 'literal'; value: string | number | boolean }
  | { is: 'union'; of: Shape[] }
  | { is: 'array'; of: Shape }
  | { is: 'map'; of: Shape }
  | { is: 'object'; fields: Map<string, { shape: Shape; optional: boolean }>; extends: Shape[]; open?: Shape }
  | { is: 'name'; path: string[]; args: Shape[] }
  | { is: 'both'; of: Shape[] }

/**
 * The declarations of one file or namespace: types by name, inner namespaces, and (files only) the
 * sources of imported names.
 */
export interface Scope {
  types: Map<string, { shape: Shape; parameters: string[] }>
  spaces: Map<string, Scope>
  imports: Map<string, { file: string; name: string }>
  reexports: { file: string | undefined; names: Map<string, string> | '*' }[]
  methods: Method[]
  parent: Scope | undefined
}

/**
 * One method of a resource class: `update(id: string, params?: XParams, …): Promise<Response<X>>`,
 * in the order of the class.
 */
interface Method {
  resource: string
  name: string
  params: Shape | undefined
  answer: Shape
}

const token =
  /\s+|\/\*[\s\S]*?\*\/|\/\/[^\n]*|([A-Za-z_$][\w$]*)|('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(-?\d+(?:\.\d+)?)|(=>|\.\.\.|[{}()[\]<>|&;:,.?=*])/y

function tokens(text: string): string[] {
  const found: string[] = []
  token.lastIndex = 0
  while (token.lastIndex < text.length) {
    const at = token.lastIndex
    const match = token.exec(text)
    assert(match !== null, `cannot read the declaration at ${at}: ${text.slice(at, at + 60)}`)
    const word = match[1] ?? match[2] ?? match[3] ?? match[4]
    if (word !== undefined) found.push(word)
  }
  return found
}

/**
 * Reads one generated `.d.ts` of the `stripe` package. The files are regular (interfaces,
 * namespaces, type aliases, classes with signatures), so a small reader is enough. It throws on
 * unknown syntax, because a skipped declaration would not be checked.
 */
export function readDeclarations(text: string): Scope {
  return new Reader(tokens(text)).file()
}

function scope(parent: Scope | undefined): Scope {
  return { types: new Map(), spaces: new Map(), imports: new Map(), reexports: [], methods: [], parent }
}

class Reader {
  private at = 0
  private readonly words: string[]
  constructor(words: string[]) {
    this.words = words
  }

  private peek(ahead = 0): string {
    return this.words[this.at + ahead] ?? ''
  }
  private take(): string {
    return this.words[this.at++] ?? ''
  }
  private eat(word: string): boolean {
    if (this.peek() !== word) return false
    this.at++
    return true
  }
  private expect(word: string): void {
    const got = this.take()
    assert(got === word, `expected ${word}, found ${got} before ${this.words.slice(this.at, this.at + 12).join(' ')}`)
  }

  file(): Scope {
    const whole = scope(undefined)
    while (this.at < this.words.length) this.statement(whole)
    return whole
  }

  private statement(into: Scope): void {
    if (this.eat(';')) return
    if (this.eat('import')) return this.importLine(into)
    this.eat('export')
    if (this.eat('import')) return this.aliasLine(into)
    this.eat('declare')
    this.eat('abstract')
    const word = this.peek()
    if (word === 'interface') return this.interfaceLine(into)
    if (word === 'type' && this.peek(1) !== '{') return this.typeLine(into)
    if (word === 'namespace') return this.namespaceLine(into)
    if (word === 'class') return this.classLine(into)
    if (word === '{' || word === '*' || word === 'type') return this.reexportLine(into)
    if (word === 'const' || word === 'function' || word === 'let' || word === 'default') return this.skipLine()
    assert(false, `unknown declaration: ${this.words.slice(this.at, this.at + 12).join(' ')}`)
  }

  private skipLine(): void {
    let depth = 0
    while (this.at < this.words.length) {
      const word = this.take()
      if ('{(['.includes(word)) depth++
      if ('})]'.includes(word)) depth--
      if (word === ';' && depth === 0) return
    }
  }

  private importLine(into: Scope): void {
    if (this.peek().startsWith("'")) {
      this.take()
      this.eat(';')
      return
    }
    this.eat('type')
    const names: [string, string][] = []
    if (this.eat('*')) {
      this.expect('as')
      names.push([this.take(), '*'])
    } else if (this.eat('{')) {
      while (!this.eat('}')) {
        this.eat('type')
        const name = this.take()
        names.push([this.eat('as') ? this.take() : name, name])
        this.eat(',')
      }
    } else names.push([this.take(), 'default'])
    this.expect('from')
    const file = this.take().slice(1, -1)
    this.eat(';')
    for (const [local, name] of names) into.imports.set(local, { file, name })
  }

  /** `export import X = A.B.X;` inside a namespace. */
  private aliasLine(into: Scope): void {
    const name = this.take()
    this.expect('=')
    into.types.set(name, { shape: this.type(), parameters: [] })
    this.eat(';')
  }

  private reexportLine(into: Scope): void {
    this.eat('type')
    let names: Map<string, string> | '*' = '*'
    if (this.eat('*')) {
      if (this.eat('as')) {
        const local = this.take()
        this.expect('from')
        into.imports.set(local, { file: this.take().slice(1, -1), name: '*' })
        this.eat(';')
        return
      }
    } else {
      this.expect('{')
      names = new Map()
      while (!this.eat('}')) {
        this.eat('type')
        const name = this.take()
        names.set(this.eat('as') ? this.take() : name, name)
        this.eat(',')
      }
    }
    // Inside a namespace, `export { X };` passes a name of the enclosing file on.
    into.reexports.push({ file: this.eat('from') ? this.take().slice(1, -1) : undefined, names })
    this.eat(';')
  }

  private parameters(): string[] {
    const names: string[] = []
    if (!this.eat('<')) return names
    while (!this.eat('>')) {
      names.push(this.take())
      if (this.eat('extends')) this.type()
      if (this.eat('=')) this.type()
      this.eat(',')
    }
    return names
  }

  private interfaceLine(into: Scope): void {
    this.expect('interface')
    const name = this.take()
    const parameters = this.parameters()
    const parents: Shape[] = []
    if (this.eat('extends'))
      do parents.push(this.type())
      while (this.eat(','))
    const body = this.body()
    body.extends = parents
    into.types.set(name, { shape: body, parameters })
  }

  private typeLine(into: Scope): void {
    this.expect('type')
    const name = this.take()
    const parameters = this.parameters()
    this.expect('=')
    into.types.set(name, { shape: this.type(), parameters })
    this.eat(';')
  }

  private namespaceLine(into: Scope): void {
    this.expect('namespace')
    const name = this.take()
    const inner = into.spaces.get(name) ?? scope(into)
    into.spaces.set(name, inner)
    this.expect('{')
    while (!this.eat('}')) this.statement(inner)
  }

  private classLine(into: Scope): void {
    this.expect('class')
    const resource = this.take()
    while (this.peek() !== '{') this.take()
    this.expect('{')
    while (!this.eat('}')) this.member(into, resource)
  }

  private member(into: Scope, resource: string): void {
    const start = this.at
    if (this.peek(1) !== '(') return this.skipLine()
    const name = this.take()
    this.expect('(')
    let params: Shape | undefined
    while (!this.eat(')')) {
      const parameter = this.take()
      this.eat('?')
      this.expect(':')
      const shape = this.type()
      if (parameter === 'params') params = shape
      this.eat(',')
    }
    if (!this.eat(':')) {
      this.at = start
      return this.skipLine()
    }
    into.methods.push({ resource, name, params, answer: this.type() })
    this.eat(';')
  }

  private body(): Extract<Shape, { is: 'object' }> {
    const object: Extract<Shape, { is: 'object' }> = { is: 'object', fields: new Map(), extends: [] }
    this.expect('{')
    while (!this.eat('}')) {
      this.eat('readonly')
      if (this.peek() === '[' && this.peek(2) === ':') {
        this.expect('[')
        this.take()
        this.expect(':')
        this.type()
        this.expect(']')
        this.expect(':')
        object.open = this.type()
      } else this.field(object)
      this.eat(';')
      this.eat(',')
    }
    return object
  }

  private field(object: Extract<Shape, { is: 'object' }>): void {
    const raw = this.take()
    const name = raw.startsWith("'") || raw.startsWith('"') ? raw.slice(1, -1) : raw
    const optional = this.eat('?')
    if (this.peek() === '(' || this.peek() === '<') {
      this.type()
      if (this.eat(':')) this.type()
      return
    }
    this.expect(':')
    object.fields.set(name, { shape: this.type(), optional })
  }

  /** union > intersection > postfix arrays > primary */
  private type(): Shape {
    this.eat('|')
    const of = [this.both()]
    while (this.eat('|')) of.push(this.both())
    return of.length === 1 && of[0] !== undefined ? of[0] : { is: 'union', of }
  }

  private both(): Shape {
    const of = [this.postfix()]
    while (this.eat('&')) of.push(this.postfix())
    return of.length === 1 && of[0] !== undefined ? of[0] : { is: 'both', of }
  }

  private postfix(): Shape {
    let shape = this.primary()
    while (this.peek() === '[') {
      this.take()
      if (this.eat(']')) shape = { is: 'array', of: shape }
      else {
        this.type()
        this.expect(']')
        shape = { is: 'any' }
      }
    }
    return shape
  }

  private primary(): Shape {
    const word = this.peek()
    if (word === '{') {
      const body = this.body()
      return body.open !== undefined && body.fields.size === 0 ? { is: 'map', of: body.open } : body
    }
    if (word === '(') return this.grouped()
    this.take()
    if (word.startsWith("'") || word.startsWith('"')) return { is: 'literal', value: word.slice(1, -1) }
    if (/^-?\d/.test(word)) return { is: 'literal', value: Number(word) }
    switch (word) {
      case 'string':
      case 'number':
      case 'boolean':
      case 'null':
        return { is: word }
      case 'true':
      case 'false':
        return { is: 'literal', value: word === 'true' }
      case 'any':
      case 'unknown':
      case 'void':
      case 'undefined':
      case 'never':
      case 'object':
      case 'symbol':
      case 'bigint':
        return { is: 'any' }
      case 'keyof':
      case 'typeof':
        this.primary()
        return { is: 'any' }
      default:
        return this.name(word)
    }
  }

  private grouped(): Shape {
    // `(a | b)[]` or a function type: what follows the closing bracket decides.
    let depth = 0
    let end = this.at
    do {
      if (this.words[end] === '(') depth++
      if (this.words[end] === ')') depth--
      end++
    } while (depth > 0)
    if (this.words[end] === '=>') {
      this.at = end + 1
      this.type()
      return { is: 'any' }
    }
    this.expect('(')
    const shape = this.type()
    this.expect(')')
    return shape
  }

  private name(first: string): Shape {
    const path = [first]
    while (this.peek() === '.') {
      this.take()
      path.push(this.take())
    }
    const args: Shape[] = []
    if (this.eat('<')) {
      while (!this.eat('>')) {
        args.push(this.type())
        this.eat(',')
      }
    }
    return { is: 'name', path, args }
  }
}
