import type { Contact } from './model.ts'
import type { Site } from './site.ts'

/**
 * The fuzzy search over name and e-mail address, as its users describe it. It returns similar
 * addresses with the exact match, unordered. A new contact is missing until the index contains it.
 * A full address with `+` in it finds nothing; its part before the `+` does.
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
