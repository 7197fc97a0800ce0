import type Stripe from 'stripe'
import type { LiveAccount } from '../live/accounts.ts'
import type { CopyMap } from './types.ts'

type Customer = Pick<Stripe.Customer, 'id' | 'email'>

/** What both accounts show around one old customer and the customer that stands for its copy. */
export interface ClaimedCopy {
  readonly old: Customer
  readonly copy: Customer
  readonly copyMap: CopyMap
  /** Customers by id. */
  readonly source: Pick<LiveAccount, 'customers'>
  readonly target: Pick<LiveAccount, 'customers'>
}

/**
 * Why the claimed copy is another person's customer; undefined when nothing says so. A file whose
 * rows were mixed up has the right shape and would bill one member on the card of another. A copy
 * keeps the customer's id unless the id is already taken, so an equal id is proof, also where an
 * address was changed later. E-mail addresses are compared here and are in no message.
 * https://docs.stripe.com/get-started/data-migrations/pan-copy-self-serve
 */
export function copyMismatch(claim: ClaimedCopy): string | undefined {
  const { old, copy, copyMap, source, target } = claim
  const row = `customer_id_old ${old.id}, customer_id_new ${copy.id}`
  const [before, now] = [addressOf(old), addressOf(copy)]
  const differs = before !== '' && now !== '' && before !== now
  if (copy.id === old.id) {
    const isProven = copyMap.customers.has(old.id) || isGenerated(old.id)
    return differs && !isProven
      ? `the target’s customer ${copy.id} has another e-mail address, and no row of the copy map names ${old.id}`
      : undefined
  }
  const agrees = before !== '' && before === now
  // The old customer that has the claimed id. Two customers of one person may share one copy.
  const isOld = copyMap.customers.has(copy.id) || source.customers.has(copy.id)
  const isShared = agrees && (copyMap.customers.get(copy.id) ?? copy.id) === copy.id
  if (isOld && !isShared)
    return `the copy map says ${row}, but ${copy.id} is the id of another customer of the old account${differs ? ', and the e-mail addresses differ' : ''}`
  if (differs) return `the copy map says ${row}, but the e-mail addresses of these two customers differ`
  if (agrees) return undefined
  if (isGenerated(old.id) && target.customers.has(old.id))
    return `the copy map says ${row}, but the target also has ${old.id}, and a copy keeps the id`
  const owner = now === '' ? undefined : ownerOf(now, claim)
  return owner === undefined
    ? undefined
    : `the copy map says ${row}, but ${copy.id} has the e-mail address of ${owner} of the old account`
}

/** Another old customer of the map with this address. */
function ownerOf(address: string, { old, copyMap, source }: ClaimedCopy): string | undefined {
  for (const id of copyMap.customers.keys()) {
    const other = source.customers.get(id)
    if (other !== undefined && id !== old.id && addressOf(other) === address) return id
  }
  return undefined
}

function addressOf({ email }: Customer): string {
  return email?.trim().toLowerCase() ?? ''
}

/** Stripe never gives the same id to two customers; an id that a person chose may exist twice. */
function isGenerated(id: string): boolean {
  return id.startsWith('cus_')
}
