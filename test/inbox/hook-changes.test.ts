import { describe, expect, test } from 'vitest'
import { hookChanges } from '../../src/engine/inbox/hook-changes.ts'
import type { KajabiHook } from '../../src/engine/kajabi-port.ts'

const base = 'https://cancel.school.example'
const access = {
  offers: { membership: { kajabi: '1', prices: [], cancel_tags: ['900', '901'] } },
  forms: { '77': { offer: 'membership' } },
}
const at = (secret: string): string => `${base}/kajabi/hooks/${secret}`
const hook = (id: string, url: string, resource: string): KajabiHook => ({ id, url, event: 'tag_added', resource })

describe('hooks of the Kajabi site', () => {
  test('one for every cancel tag and form, at the address of the current secret', () => {
    const { create, keep, remove } = hookChanges(base, ['new', 'old'], access, [])
    expect(create).toEqual([
      { event: 'tag_added', resource: '900', url: at('new') },
      { event: 'tag_added', resource: '901', url: at('new') },
      { event: 'form_submission', resource: '77', url: at('new') },
    ])
    expect([keep, remove]).toEqual([[], []])
  })

  test('a second run has nothing to do', () => {
    const existing = hookChanges(base, ['new'], access, []).create.map((one, id) => ({ ...one, id: String(id) }))
    const again = hookChanges(base, ['new'], access, existing)
    expect([again.create, again.remove]).toEqual([[], []])
    expect(again.keep).toEqual(existing)
  })

  test('the previous secret is accepted as long as it is listed', () => {
    const old = hook('1', at('old'), '900')
    expect(hookChanges(base, ['new', 'old'], access, [old]).keep).toEqual([old])
    expect(hookChanges(base, ['new'], access, [old]).remove).toEqual([old])
  })

  test('hooks of removed tags and duplicates are deleted; hooks of other programs stay', () => {
    const gone = hook('1', at('new'), '555')
    const first = hook('2', at('new'), '900')
    const double = hook('3', at('new'), '900')
    const foreign = hook('4', 'https://other.example/kajabi/hooks/x', '900')
    const { keep, remove } = hookChanges(base, ['new'], access, [gone, first, double, foreign])
    expect(keep).toEqual([first])
    expect(remove).toEqual([gone, double])
  })
})
