import type { Contact } from './model.ts'
import type { Site } from './site.ts'

/**
 * The fuzzy search over name and e-mail, as its users describe it: it finds neighbours as well as
 * the exact match, in no order of quality; a new contact is missing until the index has caught up;
 * a full address with `+` in it finds nothing, its part before the `+` does.
 */
export function search(site: Site, query: string): Contact[] {
  const wanted = query.trim().toLowerCase()
  if (wanted.includes('@')) return wanted.includes('+') ? [] : site.alike(wanted)
  const words = wanted.split(/\s+/).filter((word) => word !== '')
  if (words.length === 0) return [...site.contacts.all()]
  return [...site.contacts.all()].filter((contact) => words.every((word) => mentions(contact, word)))
}

function mentions(contact: Contact, word: string): boolean {
  return contact.email.includes(word) || contact.name.toLowerCase().includes(word)
}
