import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { assert } from '../../src/core/assert.ts'
import { readDeclarations, type Scope, type Shape } from './declarations.ts'

/** A shape with the place where its names are looked up. */
export interface Placed {
  shape: Shape
  scope: Scope
  file: string
  bound: ReadonlyMap<string, Placed>
  /** `Partial<…>`: fields may be missing. */
  partial?: boolean
}

export interface Route {
  method: string
  /** `/v1/subscriptions/{id}` */
  path: string
  pattern: RegExp
  params: Placed | undefined
  answer: Placed
}

/**
 * Stripe's API as the installed `stripe` package describes it: every v1 route with its parameters
 * and answer.
 */
export interface Description {
  version: string
  routes: readonly Route[]
  find(method: string, path: string): Route | undefined
  resolve(placed: Placed): Placed
}

const root = join(dirname(fileURLToPath(import.meta.resolve('stripe'))))

/**
 * Derived from the package's own files: methods and paths from its JavaScript, parameters and
 * objects from its declaration files. No part is written by hand, so a newer SDK brings a newer
 * description.
 */
export function describeApi(): Description {
  const files = new Map<string, Scope>()
  const load = (file: string): Scope => {
    let known = files.get(file)
    if (known === undefined) {
      known = readDeclarations(readFileSync(join(root, file), 'utf8'))
      files.set(file, known)
    }
    return known
  }
  const routes: Route[] = []
  for (const file of readdirSync(join(root, 'resources'), { recursive: true }) as string[]) {
    const isOther = file.startsWith('V2') && file !== join('V2', 'Core', 'EventDestinations.js')
    if (!file.endsWith('.js') || isOther || file.endsWith('index.js')) continue
    const found = routesOf(join('resources', file.replace(/\.js$/, '')), load)
    // A ping answers an event of the second API, whose types are written in another form.
    routes.push(...found.filter(({ path }) => !path.endsWith('/ping')))
  }
  // Routes without a placeholder come first: /v1/invoices/create_preview is not an invoice's id.
  routes.sort((a, b) => a.path.split('{').length - b.path.split('{').length || (a.path < b.path ? -1 : 1))
  const version = /ApiVersion = '([^']+)'/.exec(readFileSync(join(root, 'apiVersion.js'), 'utf8'))?.[1]
  assert(version !== undefined, 'the SDK names its API version')
  return {
    version,
    routes,
    find: (method, path) => routes.find((route) => route.method === method && route.pattern.test(path)),
    resolve: (placed) => resolve(placed, load),
  }
}

function routesOf(name: string, load: (file: string) => Scope): Route[] {
  const file = `${name}.d.ts`
  const scope = load(file)
  const code = readFileSync(join(root, `${name}.js`), 'utf8')
  const routes: Route[] = []
  for (const [resource, body] of classesOf(code)) {
    for (const method of scope.methods.filter((one) => one.resource === resource)) {
      for (const [verb, template] of callsOf(body, method.name)) {
        if (!/^\/v[12]\//.test(template)) continue
        const path = template.replaceAll(/\$\{encodeURIComponent\((\w+)\)\}/g, '{$1}')
        const placed = (shape: Shape): Placed => ({ shape, scope, file, bound: new Map() })
        routes.push({
          method: verb,
          path,
          pattern: new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`),
          params: method.params === undefined ? undefined : placed(method.params),
          answer: placed(method.answer),
        })
      }
    }
  }
  return routes
}

function classesOf(code: string): [string, string][] {
  return code
    .split(/^export class /m)
    .slice(1)
    .map((part) => [/^\w+/.exec(part)?.[0] ?? '', part])
}

/**
 * The requests of one method: `_makeRequest('POST', '/v1/…'` with plain or template quotes; some
 * methods have two branches.
 */
function callsOf(body: string, method: string): [string, string][] {
  const start = new RegExp(`^    (?:async )?${method}\\(`, 'm').exec(body)
  if (start === null) return []
  const rest = body.slice(start.index)
  const end = rest.indexOf('\n    }\n')
  const text = end < 0 ? rest : rest.slice(0, end)
  return [...text.matchAll(/_makeRequest\('(\w+)', ['`]([^'`]+)['`]/g)].map((call) => [call[1] ?? '', call[2] ?? ''])
}

/** Follows names until it reaches a shape with structure. */
function resolve(placed: Placed, load: (file: string) => Scope): Placed {
  let now = placed
  for (let steps = 0; steps < 50; steps++) {
    if (now.shape.is !== 'name') return now
    const partial = now.partial === true
    now = follow(now, now.shape, load)
    if (partial) now = { ...now, partial }
  }
  throw new Error(`a type that never ends: ${JSON.stringify(placed.shape)}`)
}

function follow(placed: Placed, name: Extract<Shape, { is: 'name' }>, load: (file: string) => Scope): Placed {
  const [first = '', ...rest] = name.path
  const args = name.args.map((shape): Placed => ({
    shape,
    scope: placed.scope,
    file: placed.file,
    bound: placed.bound,
  }))
  const argument = args[0]
  if (rest.length === 0) {
    const bound = placed.bound.get(first)
    if (bound !== undefined) return bound
    const known = builtIn(first, placed, argument)
    if (known !== undefined) return known
  }
  const found = lookUp(placed.scope, placed.file, name.path, load)
  assert(found !== undefined, `${placed.file} names ${name.path.join('.')}, which is declared nowhere`)
  const bound = new Map(found.parameters.map((parameter, index) => [parameter, args[index] ?? placed]))
  return { shape: found.shape, scope: found.scope, file: found.file, bound }
}

function builtIn(name: string, placed: Placed, argument: Placed | undefined): Placed | undefined {
  const plain = (shape: Shape): Placed => ({ ...placed, shape })
  const inner: Shape = argument?.shape ?? { is: 'any' }
  switch (name) {
    case 'Array':
      return { ...(argument ?? placed), shape: { is: 'array', of: inner } }
    case 'Promise':
    case 'Response':
      return argument
    case 'Partial':
      return argument === undefined ? undefined : { ...argument, partial: true }
    case 'Decimal':
      // On the wire a decimal is a string; `number` marks it for the checker.
      return plain({ is: 'union', of: [{ is: 'string' }, { is: 'number' }] })
    case 'OtherString':
      // Open enums: an unlisted value may come from a newer Stripe, but neither the product's
      // requests nor the sandbox are newer than the SDK.
      return plain({ is: 'union', of: [] })
    case 'ApiListPromise':
    case 'ApiList':
      return { ...(argument ?? placed), shape: listOf('list', inner) }
    case 'ApiSearchResultPromise':
    case 'ApiSearchResult':
      return { ...(argument ?? placed), shape: listOf('search_result', inner) }
    case 'Record':
    case 'RequestOptions':
      return plain({ is: 'any' })
    default:
      return undefined
  }
}

function listOf(object: string, of: Shape): Shape {
  const field = (shape: Shape, optional = false): { shape: Shape; optional: boolean } => ({ shape, optional })
  return {
    is: 'object',
    extends: [],
    fields: new Map([
      ['object', field({ is: 'literal', value: object })],
      ['data', field({ is: 'array', of })],
      ['has_more', field({ is: 'boolean' })],
      ['url', field({ is: 'string' })],
      ['total_count', field({ is: 'number' }, true)],
      ['next_page', field({ is: 'union', of: [{ is: 'string' }, { is: 'null' }] }, true)],
    ]),
  }
}

interface Found {
  shape: Shape
  parameters: string[]
  scope: Scope
  file: string
}

function lookUp(scope: Scope, file: string, path: readonly string[], load: (file: string) => Scope): Found | undefined {
  for (let here: Scope | undefined = scope; here !== undefined; here = here.parent) {
    const found = within(here, file, path, load)
    if (found !== undefined) return found
  }
  return undefined
}

function within(scope: Scope, file: string, path: readonly string[], load: (file: string) => Scope): Found | undefined {
  const [first = '', ...rest] = path
  if (rest.length === 0) {
    const type = scope.types.get(first)
    if (type !== undefined) return { ...type, scope, file }
  } else {
    const space = scope.spaces.get(first)
    const found = space === undefined ? undefined : within(space, file, rest, load)
    if (found !== undefined) return found
  }
  const imported = scope.imports.get(first)
  if (imported !== undefined) {
    // Internals of the SDK (files to upload and the like), not Stripe's API.
    if (/\/(lib|Types)\.js$/.test(imported.file)) return { shape: { is: 'any' }, parameters: [], scope, file }
    const other = beside(file, imported.file)
    const names = imported.name === '*' ? rest : [imported.name, ...rest]
    return within(load(other), other, names, load)
  }
  for (const reexport of scope.reexports) {
    const name = reexport.names === '*' ? first : reexport.names.get(first)
    if (name === undefined) continue
    if (reexport.file === undefined) {
      const found = scope.parent === undefined ? undefined : lookUp(scope.parent, file, [name, ...rest], load)
      if (found !== undefined) return found
      continue
    }
    const other = beside(file, reexport.file)
    const found = within(load(other), other, [name, ...rest], load)
    if (found !== undefined) return found
  }
  return undefined
}

function beside(file: string, imported: string): string {
  return relative('.', join(dirname(file), imported.replace(/\.js$/, '.d.ts')))
}
