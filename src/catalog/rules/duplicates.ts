import type { Diagnostic } from '../../core/diagnostic.ts'
import { type Draft, placeIn } from '../draft.ts'
import { error } from '../rule-names.ts'

/** A key names one object, across all files. */
export function duplicateAddresses(draft: Draft): readonly Diagnostic[] {
  const first = new Map<string, string>()
  const found: Diagnostic[] = []
  for (const resource of draft.resources) {
    const seen = first.get(resource.address)
    if (seen === undefined) first.set(resource.address, place(resource.at))
    else {
      const message = `${resource.address} is declared twice; the first is at ${seen}`
      found.push(error('duplicate-key', message, 'keep one of them', resource.at))
    }
  }
  return found
}

/** A subscription is declared once, in one wave. */
export function duplicateSubscribers(draft: Draft): readonly Diagnostic[] {
  const first = new Map<string, string>()
  const found: Diagnostic[] = []
  for (const subscriber of draft.subscribers) {
    const seen = first.get(subscriber.key)
    if (seen === undefined) first.set(subscriber.key, place(subscriber.at))
    else {
      const message = `${subscriber.key} is declared twice; the first is at ${seen}`
      found.push(error('duplicate-subscriber', message, 'keep it in one wave', subscriber.at))
    }
  }
  return found
}

/** Ids, lookup keys, codes and addresses that must be unique in Stripe. */
export function duplicateNaturalKeys(draft: Draft): readonly Diagnostic[] {
  const first = new Map<string, string>()
  const found: Diagnostic[] = []
  for (const resource of draft.resources) {
    const { naturalKey } = resource.of
    if (naturalKey?.unique !== true) continue
    const value = naturalKey.desired(resource.key, resource.value)
    if (value === undefined) continue
    const name = `${resource.kind} ${naturalKey.name} ${value}`
    const seen = first.get(name)
    if (seen === undefined) first.set(name, resource.address)
    else if (seen !== resource.address) {
      const message = `${resource.address} and ${seen} have the same ${naturalKey.name} "${value}"`
      const fix = `it must be unique in Stripe; give one of them another ${naturalKey.name}`
      found.push(error('duplicate-natural-key', message, fix, placeIn(resource, [naturalKey.name], 'key')))
    }
  }
  return found
}

function place({ file, line }: { readonly file: string; readonly line: number }): string {
  return `${file}:${line}`
}
