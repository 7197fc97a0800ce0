import jsonpatch from 'fast-json-patch'
import { assert } from '../core/assert.ts'
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts'
import type { PatchOperation } from './types.ts'

/**
 * JSON Patch (RFC 6902) from one value to another. Each operation also holds the value that it
 * replaces or removes.
 */
export function patchBetween(before: JsonObject, after: JsonObject): readonly PatchOperation[] {
  return jsonpatch.compare(before, after).map((operation): PatchOperation => {
    const { op, path } = operation
    const was = valueAt(before, path)
    const replaced = was === undefined ? {} : { was }
    if (op === 'remove') return { op, path, ...replaced }
    assert(op === 'add' || op === 'replace', `a comparison of two values gives no ${op}`)
    return { op, path, value: operation.value as Json, ...replaced }
  })
}

function valueAt(holder: Json, path: string): Json | undefined {
  const steps = path.split('/').slice(1)
  return steps.reduce<Json | undefined>((at, step) => {
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~')
    if (Array.isArray(at)) return (at as readonly Json[])[Number(name)]
    return isJsonObject(at) ? at[name] : undefined
  }, holder)
}
