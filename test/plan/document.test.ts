import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { isJsonObject, type Json, type JsonObject } from '../../src/core/json.ts'
import { parsePlan } from '../../src/plan/document.ts'

const saved = fileURLToPath(new URL('../golden/projects/saved-plan/wave-01.plan.json', import.meta.url))
const plan = JSON.parse(readFileSync(saved, 'utf8')) as JsonObject
const changes = plan['changes'] as readonly JsonObject[]

/** The plan with one value replaced; `undefined` removes the key. */
function edited(path: string, value: Json | undefined): unknown {
  const put = (holder: Json | undefined, [step, ...rest]: readonly string[]): Json | undefined => {
    if (step === undefined) return value
    if (Array.isArray(holder))
      return holder.map((one: Json, at) => (String(at) === step ? (put(one, rest) ?? null) : one))
    return isJsonObject(holder) ? { ...holder, [step]: put(holder[step], rest) } : holder
  }
  return JSON.parse(JSON.stringify(put(plan, path.split('/').slice(1))))
}

const problem = (document: unknown): string => {
  const parsed = parsePlan(document)
  return 'problem' in parsed ? parsed.problem : ''
}

const at = (action: string): number => changes.findIndex((one) => one['action'] === action)

describe('a plan file is read as a plan, or refused with the place and the rule', () => {
  test('the saved plan is one', () => {
    expect(problem(plan)).toBe('')
  })

  const cases: readonly (readonly [string, Json | undefined, string])[] = [
    [`/changes/${at('move')}/expect`, undefined, `/changes/${at('move')} must have required property 'expect'`],
    [`/changes/${at('move')}/expect/customer_old`, undefined, "/expect must have required property 'customer_old'"],
    [`/changes/${at('move')}/expect/next`, '2026', '/expect/next must be integer'],
    [`/changes/${at('move')}/expect/gap`, 'no', '/expect/gap must be one of invoice, leave'],
    [`/changes/${at('move')}/expect/money_after`, ['x'], '/expect/money_after/0 must match pattern'],
    [`/changes/${at('move')}/expect/key`, 'us/sub_other', '/address must be subscriber.us/sub_other'],
    [`/changes/${at('move')}/address`, 'subscriber.us/sub_other', '/address must be subscriber.us/sub_1'],
    [`/changes/${at('move')}/action`, 'grant', '/expect must have required property'],
    [`/changes/${at('move')}/action`, 'steal', '/action has a value that this version does not know'],
    [`/changes/${at('move')}/action`, 7, '/action must be string'],
    [`/changes/${at('grant')}/expect/subscribers`, 'us/sub_1', '/expect/subscribers must be array'],
    [`/changes/${at('grant')}/action`, 'revoke', "/expect must have required property 'contact'"],
    [`/changes/${at('create')}/expect/seen`, 5, '/expect/seen must be string'],
    [`/changes/${at('create')}/steps/0/method`, 'GET', '/steps/0/method must be one of POST, DELETE'],
    [`/changes/${at('create')}/steps/0/params`, [], '/steps/0/params must be object'],
    [`/changes/${at('update')}/patch/0/op`, 'move', '/patch/0/op has a value that this version does not know'],
    ['/basis/state/serial', 1.5, '/basis/state/serial must be integer'],
    ['/guards', undefined, "/ must have required property 'guards'"],
    ['/summary/move', 'three', '/summary/move must be integer'],
    ['/guards/0/id', 'people_move', '/guards/0/id must be one of people_moved'],
    [`/changes/${at('move')}/expect/override`, ['any'], '/expect/override/0 must be one of changed_since_move'],
    ['/format', 2, '/format must be'],
  ]
  test.each(cases)('%s = %j', (path, value, message) => {
    expect(problem(edited(path, value))).toContain(message)
  })

  test('no key that a change needs can be taken away unnoticed', () => {
    for (const index of changes.keys())
      for (const key of ['address', 'action', 'because', 'patch', 'people', 'steps', 'expect'])
        expect(problem(edited(`/changes/${index}/${key}`, undefined))).toContain(`/changes/${index}`)
    for (const key of Object.keys(changes[at('move')]?.['expect'] as JsonObject))
      expect(problem(edited(`/changes/${at('move')}/expect/${key}`, undefined))).toContain(`'${key}'`)
  })

  test.each([null, 7, 'plan', [], {}])('%j is not a plan', (document) => {
    expect(problem(document)).not.toBe('')
  })
})
