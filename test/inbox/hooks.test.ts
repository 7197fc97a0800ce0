import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { examineKajabi } from '../../src/engine/inbox/examine.ts'
import { ensureHooks } from '../../src/engine/inbox/hooks.ts'
import { openRig, siteOf, type Rig } from './rig.ts'

let rig: Rig
beforeEach(async () => {
  rig = await openRig()
})
afterEach(() => rig.close())

describe('hooks', () => {
  const address = { publicUrl: 'https://cancel.school.example', secrets: ['a'.repeat(32)] }

  test('are created once, follow a rotation of the secret, and the old ones are deleted after it', async () => {
    const [old, fresh] = ['a'.repeat(32), 'b'.repeat(32)]
    const ensured = (...secrets: string[]) => ensureHooks(rig.kajabi, rig.access, { ...address, secrets })
    expect(await ensured(old)).toEqual({ ok: true, value: { created: 2, kept: 0, removed: 0 } })
    expect(await ensured(old)).toEqual({ ok: true, value: { created: 0, kept: 2, removed: 0 } })
    expect(await ensured(fresh, old)).toEqual({ ok: true, value: { created: 2, kept: 2, removed: 0 } })
    expect(await ensured(fresh)).toEqual({ ok: true, value: { created: 0, kept: 2, removed: 2 } })
    const there = await rig.kajabi.hooks()
    const url = `https://cancel.school.example/kajabi/hooks/${'b'.repeat(32)}`
    expect(there.ok && there.value.map((hook) => `${hook.event} ${hook.resource} ${hook.url}`).toSorted()).toEqual([
      `form_submission ${rig.form} ${url}`,
      `tag_added ${rig.tag} ${url}`,
    ])
  })

  test('of other programs stay', async () => {
    await rig.kajabi.createHook({ url: 'https://other.example/kajabi/hooks/x', event: 'tag_added' })
    await ensureHooks(rig.kajabi, rig.access, address)
    const there = await rig.kajabi.hooks()
    expect(there.ok && there.value).toHaveLength(3)
  })
})

describe('doctor', () => {
  const examined = async (access: Partial<Rig['access']>, secrets = ['s'.repeat(32)]) =>
    (await examineKajabi(rig.kajabi, access, { publicUrl: 'https://c.example', secrets })).map(
      ({ check, status }) => `${check} ${status}`,
    )

  test('accepts a site that matches access.yaml, after its hooks are created', async () => {
    expect(await examined(rig.access)).toEqual(['kajabi ok', 'kajabi_hooks warning'])
    await ensureHooks(rig.kajabi, rig.access, { publicUrl: 'https://c.example', secrets: ['s'.repeat(32)] })
    expect(await examined(rig.access)).toEqual(['kajabi ok'])
  })

  test('finds offers and tags that the site does not have', async () => {
    const offers = { ghost: { kajabi: '999', prices: [], cancel_tags: ['998'] } }
    expect(await examined({ offers })).toEqual([
      'kajabi ok',
      'kajabi_offer failed',
      'kajabi_tag failed',
      'kajabi_hooks warning',
    ])
  })

  test('finds a key that is refused', async () => {
    const refused = await examineKajabi(
      siteOf(rig.sandbox, () =>
        Promise.resolve(Response.json({ error: 'Invalid client credentials' }, { status: 401 })),
      ),
      rig.access,
      undefined,
    )
    expect(refused).toMatchObject([
      { check: 'kajabi', status: 'failed', message: expect.stringContaining('credentials_refused') as string },
    ])
  })
})
