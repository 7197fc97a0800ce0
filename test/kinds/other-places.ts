import { isJsonObject, type Json, type JsonObject } from '../../src/core/json.ts'

type Path = readonly (string | number)[]

/** The path of each value in an entry. */
export function placesIn(value: Json | undefined, before: Path = []): readonly (Path & readonly string[])[] {
  if (Array.isArray(value)) return (value as readonly Json[]).flatMap((one, at) => placesIn(one, [...before, at]))
  if (isJsonObject(value)) return Object.entries(value).flatMap(([name, one]) => placesIn(one, [...before, name]))
  return [before as Path & readonly string[]]
}

/** The entry with another value at one place. */
export function changed(value: JsonObject, path: Path): JsonObject {
  const copy = structuredClone(value) as Record<string, unknown>
  let holder = copy
  for (const step of path.slice(0, -1)) holder = holder[step] as Record<string, unknown>
  const last = String(path.at(-1) ?? '')
  const now = holder[last]
  const other = typeof now === 'number' ? now + 1 : typeof now === 'boolean' ? !now : `${String(now)}1`
  holder[last] = /^\d{4}-\d\d-\d\dT/.test(String(now)) ? '2031-01-01T00:00:00Z' : other
  return copy as JsonObject
}
