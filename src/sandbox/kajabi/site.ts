import { present } from '../../core/assert.ts'
import type { Instant } from '../../core/instant.ts'
import type { Row, Table, TableDefinition } from '../kernel/tables.ts'
import {
  type Contact,
  type Customer,
  type Delivery,
  type Form,
  type FormSubmission,
  type Grant,
  type Hook,
  type Mail,
  type Offer,
  type Product,
  type Purchase,
  type SiteBehaviour,
  type Tag,
  type Token,
  usualBehaviour,
} from './model.ts'
import { similarity } from './likeness.ts'

/** The last number that was used, by kind. */
interface Counter extends Row {
  readonly count: number
}

interface BehaviourRow extends Row {
  readonly switched: Partial<SiteBehaviour>
}

const definitions = {
  contacts: {
    name: 'contacts',
    indexes: { email: (row) => row.email, likeness: (row) => similarity(row.email) },
  } satisfies TableDefinition<Contact>,
  customers: {
    name: 'customers',
    indexes: { external_user_id: (row) => row.external_user_id ?? undefined },
  } satisfies TableDefinition<Customer>,
  grants: {
    name: 'grants',
    indexes: { contact: (row) => row.contact, offer: (row) => row.offer },
  } satisfies TableDefinition<Grant>,
  purchases: { name: 'purchases', indexes: { contact: (row) => row.contact } } satisfies TableDefinition<Purchase>,
}

/** What a site needs from the world that contains it. */
export interface Ground {
  table<R extends Row>(definition: TableDefinition<R>): Table<R>
  now(): Instant
  /**
   * A secret of letters and digits that depends only on the world's seed and on how many of this
   * kind were drawn.
   */
  secret(kind: string, n: number, length: number): string
  /** Runs the site's due work of this kind with this key at that instant of the clock. */
  schedule(at: Instant, kind: 'kajabi.access_ends' | 'kajabi.redeliver', key: string): void
  /** Sends the delivery after the current transaction is committed. */
  send(delivery: Delivery): void
  /** Probes the address of a new hook after the current transaction is committed. */
  probe(hook: Hook): void
}

/** One Kajabi site: its rows, and indexed look-ups. */
export class Site {
  readonly id = '2147500001'
  readonly contacts: Table<Contact>
  readonly customers: Table<Customer>
  readonly offers: Table<Offer>
  readonly products: Table<Product>
  readonly tags: Table<Tag>
  readonly grants: Table<Grant>
  readonly purchases: Table<Purchase>
  readonly forms: Table<Form>
  readonly submissions: Table<FormSubmission>
  readonly hooks: Table<Hook>
  readonly deliveries: Table<Delivery>
  readonly mails: Table<Mail>
  readonly tokens: Table<Token>
  readonly #counters: Table<Counter>
  readonly #behaviour: Table<BehaviourRow>
  readonly #ground: Ground

  constructor(ground: Ground) {
    this.#ground = ground
    this.#behaviour = ground.table({ name: 'behaviour' })
    this.contacts = ground.table(definitions.contacts)
    this.customers = ground.table(definitions.customers)
    this.grants = ground.table(definitions.grants)
    this.purchases = ground.table(definitions.purchases)
    this.offers = ground.table({ name: 'offers' })
    this.products = ground.table({ name: 'products' })
    this.tags = ground.table({ name: 'tags' })
    this.forms = ground.table({ name: 'forms' })
    this.submissions = ground.table({ name: 'submissions' })
    this.hooks = ground.table({ name: 'hooks' })
    this.deliveries = ground.table({ name: 'deliveries' })
    this.mails = ground.table({ name: 'mails' })
    this.tokens = ground.table({ name: 'tokens' })
    this.#counters = ground.table({ name: 'numbers' })
  }

  get behaviour(): SiteBehaviour {
    return { ...usualBehaviour, ...this.#behaviour.get('site')?.switched }
  }

  /** Sets some of the unsure behaviours; stored with the world. */
  behave(change: Partial<SiteBehaviour>): void {
    const switched = { ...this.#behaviour.get('site')?.switched, ...change }
    this.#behaviour.put({ id: 'site', created: 0, switched })
  }

  now(): Instant {
    return this.#ground.now()
  }

  schedule(at: Instant, kind: 'kajabi.access_ends' | 'kajabi.redeliver', key: string): void {
    this.#ground.schedule(at, kind, key)
  }

  send(delivery: Delivery): void {
    this.#ground.send(delivery)
  }

  probe(hook: Hook): void {
    this.#ground.probe(hook)
  }

  secret(kind: string, length: number): string {
    return this.#ground.secret(kind, this.#count(kind), length)
  }

  /**
   * The next id of a kind: a decimal string, as in Kajabi. Each kind has a range of its own, so
   * that an id of the wrong kind is detected.
   */
  newId(kind: keyof typeof ranges): string {
    return String(ranges[kind] + this.#count(kind))
  }

  contactOf(email: string): Contact | undefined {
    return this.contacts.by('email', email.trim().toLowerCase())[0]
  }

  /** Contacts with a similar address: the result of a fuzzy search, including the exact match. */
  alike(email: string): Contact[] {
    return this.contacts.by('likeness', similarity(email.toLowerCase()))
  }

  grantsOf(contact: string): Grant[] {
    return this.grants.by('contact', contact)
  }

  purchasesOf(contact: string): Purchase[] {
    return this.purchases.by('contact', contact)
  }

  customerWith(externalUserId: string): Customer | undefined {
    return this.customers.by('external_user_id', externalUserId)[0]
  }

  contactWith(id: string): Contact {
    return present(this.contacts.get(id), `contact ${id}`)
  }

  #count(kind: string): number {
    const count = (this.#counters.get(kind)?.count ?? 0) + 1
    this.#counters.put({ id: kind, created: 0, count })
    return count
  }
}

const ranges = {
  contacts: 2_150_000_000,
  customers: 2_160_000_000,
  offers: 2_148_000_000,
  products: 2_147_600_000,
  contact_tags: 2_148_500_000,
  purchases: 2_170_000_000,
  forms: 2_148_700_000,
  form_submissions: 2_180_000_000,
  hooks: 2_149_000_000,
  deliveries: 0,
  mails: 0,
} as const
