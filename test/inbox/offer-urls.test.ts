import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { instant } from '../../src/core/instant.ts'
import type { Access } from '../../src/catalog/schemas/access.ts'
import { rememberedHolders } from '../../src/engine/access/by-urls.ts'
import { carryOutAccess } from '../../src/engine/access/carry-out.ts'
import { accessChanges } from '../../src/engine/access/changes.ts'
import type { PersonalClaim } from '../../src/engine/access/claims.ts'
import { followAccess } from '../../src/engine/inbox/follow-access.ts'
import { pollAccess } from '../../src/engine/inbox/poll.ts'
import type { OfferUrls } from '../../src/engine/kajabi-port.ts'
import { noSite } from '../../src/kajabi/no-site.ts'
import { offerUrls } from '../../src/kajabi/offer-urls.ts'
import { openRig, type Member, type Rig } from './rig.ts'

let rig: Rig
let access: Access
let urls: OfferUrls
beforeEach(async () => {
  rig = await openRig()
  const seen = (await (await rig.sandbox.fetch('http://sandbox/_sandbox/kajabi')).json()) as {
    offers: { activate: string; deactivate: string }[]
  }
  const [{ activate, deactivate } = { activate: '', deactivate: '' }] = seen.offers
  const at = (path: string): string => new URL(path, 'http://sandbox').href
  const ref = { env: 'URL' }
  access = {
    offers: {
      membership: {
        ...rig.access.offers['membership'],
        kajabi: rig.access.offers['membership']?.kajabi ?? '',
        prices: ['membership'],
        urls: { activate: ref, deactivate: ref },
      },
    },
  }
  const http = { fetch: rig.sandbox.fetch, spacing: 0, timeout: 5_000, clock: () => performance.now() }
  urls = offerUrls((_, which) => Promise.resolve(at(which === 'activate' ? activate : deactivate)), http)
})
afterEach(() => rig.close())

const claim = (member: Member, name: string, live: boolean): PersonalClaim => ({
  subscriber: member.subscriber,
  customer: member.customer,
  person: `${name}@school.example`,
  name,
  since: instant(0),
  prices: ['membership'],
  live,
})

/** A member without anything in Kajabi yet. */
async function newcomer(name: string): Promise<Member> {
  const member = await rig.member(name, 'held')
  await rig.kajabi.revoke(member.contact, access.offers['membership']?.kajabi ?? '')
  await rig.store.inbox.removeGrants(await rig.store.inbox.grants({ contact: member.contact }))
  return member
}

const holds = async ({ contact }: Member): Promise<boolean> => {
  const offers = await rig.kajabi.offersOf(contact)
  return offers.ok && offers.value.length === 1
}

describe('a site without API', () => {
  const plan = async (claims: readonly PersonalClaim[]) => {
    const granted = await rig.store.inbox.grants()
    return accessChanges(access, claims, rememberedHolders(access, claims, granted), granted)
  }
  const carryOut = async (claims: readonly PersonalClaim[]): Promise<void> => {
    const work = {
      kajabi: noSite(),
      urls,
      grants: rig.store.inbox,
      notes: rig.store,
      known: { complete: false, contacts: new Map(), marks: new Map() },
      access,
      now: rig.now(),
      wait: () => Promise.resolve(),
    }
    for (const change of (await plan(claims)).changes)
      expect(
        await carryOutAccess({ ...work, claims: new Map(claims.map((one) => [one.subscriber, one])) }, change),
      ).toEqual({ ok: true, value: true })
  }

  test('grants and revokes by the offer’s URLs, once each, and its plans show neither key nor person', async () => {
    const ada = await newcomer('ada')
    const paying = [claim(ada, 'ada', true)]
    const { changes } = await plan(paying)
    expect(changes).toMatchObject([
      {
        action: 'grant',
        steps: [{ path: `/webhooks/offers/${access.offers['membership']?.kajabi}/activate`, params: {} }],
      },
    ])
    expect(JSON.stringify(changes)).not.toMatch(/ada@|http/)
    await carryOut(paying)
    expect(await holds(ada)).toBe(true)
    expect((await plan(paying)).changes).toEqual([])

    const ended = [claim(ada, 'ada', false)]
    expect((await plan(ended)).changes).toMatchObject([{ action: 'revoke' }])
    await carryOut(ended)
    expect(await holds(ada)).toBe(false)
    expect((await plan(ended)).changes).toEqual([])
  })

  test('revokes the access of ended members, and polls nothing that cannot be read', async () => {
    const ada = await newcomer('ada')
    await carryOut([claim(ada, 'ada', true)])
    const context = { ...rig.context, kajabi: noSite(), urls, access }
    expect(await pollAccess(context)).toMatchObject({ gone: 0, read: true })
    expect(await followAccess(context, { customer: ada.customer })).toEqual({ ok: true, value: 0 })
    await rig.stripe('target').subscriptions.cancel(ada.successor ?? '')
    await rig.stripe('us').subscriptions.cancel(ada.old)
    expect(await followAccess(context, { customer: ada.customer })).toEqual({ ok: true, value: 1 })
    expect(await holds(ada)).toBe(false)
    expect(await rig.store.inbox.grants()).toEqual([])
  })
})
