import { Bug, present } from '../../core/assert.ts'
import { type JsonObject, isJsonObject } from '../../core/json.ts'
import type { Account } from '../kernel/account.ts'
import { Context } from '../kernel/context.ts'
import { StripeError } from '../kernel/errors.ts'
import type { Raw, RawFields } from '../kernel/form.ts'
import type { Route } from '../kernel/module.ts'
import type { World } from '../kernel/world.ts'

/** A parameter of a request; null unsets. */
type Given = string | number | boolean | null | readonly Given[] | { readonly [key: string]: Given | undefined }
export type Params = { readonly [key: string]: Given | undefined }

/**
 * Does what an API client would do, with the same parameters and handlers, at the world's instant.
 */
export class Maker {
  readonly world: World
  readonly #routes = new Map<string, Route[]>()

  constructor(world: World) {
    this.world = world
    for (const route of world.modules.flatMap((module) => module.routes ?? [])) {
      const key = `${route.method} ${route.path.split('/').length}`
      const alike = this.#routes.get(key)
      if (alike === undefined) this.#routes.set(key, [route])
      else alike.push(route)
    }
  }

  context(account: Account): Context {
    return new Context(this.world, account)
  }

  /** Sends one request. A refusal is a fault of the population. */
  post(account: Account, path: string, params: Params = {}): JsonObject {
    const outcome = this.try(account, path, params)
    if (outcome instanceof StripeError) throw new Bug(`POST ${path} was refused: ${outcome.message}`)
    return outcome
  }

  delete(account: Account, path: string, params: Params = {}): JsonObject {
    return this.#send(account, 'DELETE', path, params)
  }

  /** As `post`, but returns a refusal (a card that declines). */
  try(account: Account, path: string, params: Params = {}): JsonObject | StripeError {
    try {
      return this.#send(account, 'POST', path, params)
    } catch (error) {
      if (error instanceof StripeError) return error
      throw error
    }
  }

  #send(account: Account, method: 'POST' | 'DELETE', path: string, params: Params): JsonObject {
    const steps = path.split('/')
    for (const route of this.#routes.get(`${method} ${steps.length}`) ?? []) {
      const names = match(route.path.split('/'), steps)
      if (names === undefined) continue
      const context = new Context(this.world, account, { path: names })
      const object: unknown = route.handle(context, route.params.parse(rawOf(params), '') as never)
      if (!isJsonObject(object)) throw new Bug(`${method} ${path} did not return an object`)
      return object
    }
    throw new Bug(`no route ${method} ${path}`)
  }
}

export function idOf(object: JsonObject): string {
  const { id } = object as { id?: unknown }
  return present(typeof id === 'string' ? id : undefined, 'an id')
}

function match(pattern: readonly string[], steps: readonly string[]): Record<string, string> | undefined {
  const names: Record<string, string> = {}
  for (const [index, step] of pattern.entries()) {
    const given = steps[index] ?? ''
    if (step.startsWith(':')) names[step.slice(1)] = given
    else if (step !== given) return undefined
  }
  return names
}

function rawOf(params: Params): RawFields {
  const fields: RawFields = new Map()
  for (const [key, value] of Object.entries(params)) if (value !== undefined) fields.set(key, raw(value))
  return fields
}

function raw(value: Given): Raw {
  if (value === null) return ''
  if (Array.isArray(value)) return new Map(value.map((entry: Given, index) => [String(index), raw(entry)]))
  if (typeof value === 'object') return rawOf(value as Params)
  return String(value)
}
