import type { Description, Placed, Route } from './description.ts'
import type { Shape } from './declarations.ts'

/** One difference between a request or an answer and the description. */
export interface Difference {
  readonly where: string
  readonly problem: string
}

type Fields = Map<string, { shape: Placed; optional: boolean }>

/**
 * Compares values with the description, closed: an unknown field, a missing field, a wrong type and
 * an unlisted word are all differences. `wire: 'form'` reads leaves as form-encoded text (numbers
 * and booleans are strings, empty text unsets).
 */
export class Checker {
  private readonly api: Description
  private readonly wire: 'json' | 'form'
  private readonly flattened = new Map<Shape, Fields>()
  private readonly resolved = new Map<Shape, Placed>()
  private readonly split = new Map<Shape, Placed[]>()

  constructor(api: Description, wire: 'json' | 'form') {
    this.api = api
    this.wire = wire
  }

  check(value: unknown, placed: Placed, where: string): Difference[] {
    const at = this.resolve(placed)
    const { shape } = at
    switch (shape.is) {
      case 'any':
        return []
      case 'string':
        return typeof value === 'string' ? [] : wrong(where, 'a text', value)
      case 'number':
        return this.isNumber(value) ? [] : wrong(where, 'a number', value)
      case 'boolean':
        return this.isBoolean(value) ? [] : wrong(where, 'true or false', value)
      case 'null':
        return value === null || (this.wire === 'form' && value === '') ? [] : wrong(where, 'null', value)
      case 'literal':
        return value === shape.value || (this.wire === 'form' && value === String(shape.value))
          ? []
          : wrong(where, JSON.stringify(shape.value), value)
      case 'union':
        return this.checkUnion(value, at, where)
      case 'array':
        return this.checkArray(value, { ...at, shape: shape.of }, where)
      case 'map':
        return isObject(value)
          ? Object.entries(value).flatMap(([key, one]) =>
              this.check(one, { ...at, shape: shape.of }, `${where}.${key}`),
            )
          : wrong(where, 'a map', value)
      case 'both':
      case 'object':
        return this.checkObject(value, at, where)
      case 'name':
        return []
    }
  }

  /**
   * A shape is in one place of one file: unless a type parameter is bound there, the meaning of its
   * name is found only once.
   */
  private resolve(placed: Placed): Placed {
    if (placed.shape.is !== 'name') return placed
    if (placed.bound.size > 0 || placed.partial === true) return this.api.resolve(placed)
    const known = this.resolved.get(placed.shape) ?? this.api.resolve(placed)
    this.resolved.set(placed.shape, known)
    return known
  }

  private isNumber(value: unknown): boolean {
    if (this.wire === 'json') return typeof value === 'number'
    return typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value)
  }

  private isBoolean(value: unknown): boolean {
    return this.wire === 'json' ? typeof value === 'boolean' : value === 'true' || value === 'false'
  }

  private checkUnion(value: unknown, placed: Placed, where: string): Difference[] {
    const all = this.branches(placed)
    // Events are a union of hundreds: branches with another name or type cannot be meant.
    const named = isObject(value) ? all.filter((branch) => this.mayBe(value, branch)) : all
    const branches = named.length === 0 ? all : named
    let best: Difference[] | undefined
    let bestSame = false
    for (const branch of branches) {
      const differences = this.check(value, branch, where)
      if (differences.length === 0) return []
      if (!isObject(value) || (branch.shape.is !== 'object' && branch.shape.is !== 'both')) continue
      // Of several near misses, the nearest object of the same name says most (events share a name
      // and differ in type).
      const same = this.sameObject(value, branch)
      if (best === undefined || (same && !bestSame) || (same === bestSame && differences.length < best.length)) {
        best = differences
        bestSame = same
      }
    }
    const words = branches.map((branch) => describe(branch.shape)).join(' | ')
    return best ?? wrong(where, words, value)
  }

  private branches(placed: Placed): Placed[] {
    const { shape } = placed
    if (shape.is !== 'union') return [placed]
    const plain = placed.bound.size === 0 && placed.partial !== true
    const known = plain ? this.split.get(shape) : undefined
    if (known !== undefined) return known
    const all = shape.of.flatMap((one) => this.branches(this.resolve({ ...placed, shape: one })))
    if (plain) this.split.set(shape, all)
    return all
  }

  /**
   * Whether the words that distinguish objects are those of the branch, as far as it lists them.
   */
  private mayBe(value: Record<string, unknown>, branch: Placed): boolean {
    const { is } = branch.shape
    if (is !== 'object' && is !== 'both') return false
    const fields = this.fieldsOf(branch)
    return ['object', 'type'].every((name) => {
      const field = fields.get(name)
      const shape = field === undefined ? undefined : this.resolve(field.shape).shape
      return shape?.is !== 'literal' || shape.value === value[name]
    })
  }

  private sameObject(value: Record<string, unknown>, branch: Placed): boolean {
    const object = this.fieldsOf(branch).get('object')?.shape
    if (object === undefined) return false
    const literal = this.resolve(object).shape
    return literal.is === 'literal' && literal.value === value['object'] && value['deleted'] !== true
  }

  private checkArray(value: unknown, element: Placed, where: string): Difference[] {
    const list = Array.isArray(value)
      ? value
      : this.wire === 'form' && isObject(value)
        ? Object.values(value)
        : undefined
    if (list === undefined) return wrong(where, 'a list', value)
    return list.flatMap((one, index) => this.check(one, element, `${where}[${index}]`))
  }

  private checkObject(value: unknown, placed: Placed, where: string): Difference[] {
    if (!isObject(value)) return wrong(where, 'an object', value)
    const fields = this.fieldsOf(placed)
    const open = placed.shape.is === 'object' ? placed.shape.open : undefined
    const differences: Difference[] = []
    for (const [key, one] of Object.entries(value)) {
      const field = fields.get(key)
      if (field !== undefined) differences.push(...this.checkField(one, field, `${where}.${key}`))
      else if (open === undefined) differences.push({ where: `${where}.${key}`, problem: 'is not known to the SDK' })
      else differences.push(...this.check(one, { ...placed, shape: open }, `${where}.${key}`))
    }
    for (const [key, field] of placed.partial === true ? [] : fields)
      if (!field.optional && !(key in value)) differences.push({ where: `${where}.${key}`, problem: 'is missing' })
    return differences
  }

  private checkField(value: unknown, field: { shape: Placed; optional: boolean }, where: string): Difference[] {
    // `deleted?: void` marks objects that were not deleted.
    return this.check(value, field.shape, where)
  }

  private fieldsOf(placed: Placed): Fields {
    const known = this.flattened.get(placed.shape)
    if (known !== undefined && placed.bound.size === 0) return known
    const fields: Fields = new Map()
    const { shape } = placed
    const parents = shape.is === 'object' ? shape.extends : shape.is === 'both' ? shape.of : []
    for (const parent of parents)
      for (const [key, field] of this.fieldsOf(this.api.resolve({ ...placed, shape: parent }))) fields.set(key, field)
    if (shape.is === 'object')
      for (const [key, field] of shape.fields)
        fields.set(key, { shape: { ...placed, shape: field.shape }, optional: field.optional })
    if (placed.bound.size === 0) this.flattened.set(shape, fields)
    return fields
  }
}

function describe(shape: Shape): string {
  if (shape.is === 'literal') return JSON.stringify(shape.value)
  return shape.is
}

function wrong(where: string, expected: string, value: unknown): Difference[] {
  const shown = JSON.stringify(value) ?? 'undefined'
  return [{ where, problem: `should be ${expected}, is ${shown.length > 80 ? `${shown.slice(0, 80)}…` : shown}` }]
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * All differences of one exchange: the shape and headers of the request, and the shape of the
 * answer.
 */
export function checkExchange(
  api: Description,
  checkers: { request: Checker; answer: Checker },
  exchange: {
    method: string
    path: string
    params: Record<string, unknown>
    headers: Headers
    status: number
    answer: unknown
  },
): Difference[] {
  const { method, path, params, headers, status, answer } = exchange
  const route = api.find(method, path)
  const name = `${method} ${route?.path ?? path}`
  if (route === undefined)
    return status === 404 ? [] : [{ where: name, problem: 'is not a route of the SDK, yet it was answered' }]
  const differences = [...headerDifferences(name, method, headers)]
  const sent = requestDifferences(checkers.request, route, params, name)
  // A wrong request must have been refused; a right request may be refused for other reasons.
  if (sent.length > 0 && status < 400) differences.push(...sent)
  if (status < 400) differences.push(...checkers.answer.check(answer, route.answer, `${name} →`))
  else differences.push(...errorDifferences(answer, name))
  return differences
}

function requestDifferences(
  checker: Checker,
  route: Route,
  params: Record<string, unknown>,
  name: string,
): Difference[] {
  if (route.params !== undefined) return checker.check(params, route.params, `${name} ←`)
  return Object.keys(params).map((key) => ({ where: `${name} ← .${key}`, problem: 'is not known to the SDK' }))
}

function headerDifferences(name: string, method: string, headers: Headers): Difference[] {
  const key = headers.get('idempotency-key')
  if (method === 'POST' && key === null) return [{ where: name, problem: 'was sent without an idempotency key' }]
  if (method !== 'POST' && key !== null)
    return [{ where: name, problem: 'carries an idempotency key, which only POST may' }]
  return key !== null && key.length > 255
    ? [{ where: name, problem: 'has an idempotency key over 255 characters' }]
    : []
}

const errorTypes = ['api_error', 'card_error', 'idempotency_error', 'invalid_request_error']
const errorFields = [
  'charge',
  'code',
  'decline_code',
  'doc_url',
  'message',
  'param',
  'payment_intent',
  'payment_method',
  'request_log_url',
  'setup_intent',
  'source',
  'type',
]

/**
 * https://docs.stripe.com/api/errors: the SDK's files describe only answers, so the fields of an
 * error are listed here.
 */
function errorDifferences(answer: unknown, name: string): Difference[] {
  if (!isObject(answer) || !isObject(answer['error'])) return [{ where: `${name} → error`, problem: 'is missing' }]
  const { error } = answer
  const unknown = Object.keys(error).filter((key) => !errorFields.includes(key))
  const differences = unknown.map((key) => ({ where: `${name} → error.${key}`, problem: 'is no field of an error' }))
  if (typeof error['type'] !== 'string' || !errorTypes.includes(error['type']))
    differences.push({ where: `${name} → error.type`, problem: `is ${JSON.stringify(error['type'])}` })
  if (typeof error['message'] !== 'string')
    differences.push({ where: `${name} → error.message`, problem: 'is missing' })
  return differences
}
