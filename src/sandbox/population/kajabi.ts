// The school's Kajabi site: offers for its products, contacts for most members, and access that the
// owner or the old checkout granted.
import { present } from '../../core/assert.ts'
import { grant, newContact, purchase } from '../kajabi/access.ts'
import { makeForm, makeOffer, makeTag } from '../kajabi/acts.ts'
import type { Offer } from '../kajabi/model.ts'
import type { Site } from '../kajabi/site.ts'
import { chanceOf } from './chance.ts'
import type { MemberPlan } from './members.ts'
import { type ProductKey, products } from './offerings.ts'

export function accessTitle(product: ProductKey): string {
  return `${products[product]}: access`
}

export function openSchoolSite(site: Site): void {
  for (const product of Object.keys(products) as ProductKey[]) {
    // The access of the cohort ends by itself.
    const days = product === 'cohort' ? { access_days: 365 } : {}
    makeOffer(site, { title: accessTitle(product), products: products[product], kind: 'free', ...days })
    makeTag(site, `cancel-${product}`)
  }
  makeOffer(site, {
    title: 'Formulation Membership',
    products: products.membership,
    kind: 'subscription',
    price: 4_900,
  })
  makeOffer(site, {
    title: 'Haircare in three payments',
    products: products.haircare,
    kind: 'payment_plan',
    price: 17_700,
    payments: 3,
  })
  makeTag(site, 'vip')
  makeForm(site, { title: 'Cancel my membership' })
}

/** Which members Kajabi already knows, and which offers they hold. */
export function seedContacts(site: Site, seed: number, plans: readonly MemberPlan[]): void {
  const offers = new Map([...site.offers.all()].map((offer) => [offer.title, offer]))
  const offerCalled = (title: string): Offer => present(offers.get(title), `offer ${title}`)
  for (const plan of plans) {
    const chance = chanceOf(seed, `kajabi/${plan.n}`)
    if (!chance.happens(0.85) || site.contactOf(plan.person.email) !== undefined) continue
    const contact = newContact(site, { ...plan.person, subscribed: chance.happens(0.6) })
    site.contacts.put({ ...contact, unindexed_for: 0, created: plan.started, updated: plan.started })
    const access = offerCalled(accessTitle(plan.product))
    if (plan.adHoc) grant(site, contact.id, access, { by: 'url', activatedAs: plan.person.email })
    else if (chance.happens(0.08)) grant(site, contact.id, access, { by: 'hand' })
    if (chance.happens(0.02)) purchase(site, contact.id, offerCalled('Formulation Membership'))
  }
}
