import { subscriberKey } from '../core/address.ts'
import { instant } from '../core/instant.ts'
import { isJsonObject, type Json, type JsonObject, listIn, objectIn } from '../core/json.ts'
import { instantOf } from './instant-of.ts'
import type { DesiredDiscount, DesiredItem, DesiredSubscriber, Stage } from './types.ts'
import type { OverrideCode } from './override-codes.ts'
import type { YamlFile } from './yaml-places.ts'

/**
 * Reads a file of subscribers after its schema has accepted it. Dates such as `next_invoice` become
 * instants.
 */
export function subscribersFrom(file: YamlFile, relative: string, source: string): readonly DesiredSubscriber[] {
  const whole = objectIn(file.value)
  const stage = whole['stage'] as Stage | undefined
  const entries = objectIn(whole['subscribers'])
  return Object.entries(entries).map(([subscription, entry]) => ({
    key: subscriberKey(source, subscription),
    source,
    subscription,
    file: relative,
    ...subscriberFrom(objectIn(entry), stage),
    at: file.locate(['subscribers', subscription], 'key'),
  }))
}

/** The entry with this stage instead of its own. */
export function inStage({ unstaged: _default, ...entry }: DesiredSubscriber, stage: Stage): DesiredSubscriber {
  return { ...entry, stage }
}

type Terms = Omit<DesiredSubscriber, 'key' | 'source' | 'subscription' | 'file' | 'at'>

function subscriberFrom(entry: JsonObject, stage: Stage | undefined): Terms {
  return {
    // An excluded subscriber stays in the source, whatever the stage of its wave.
    stage: (entry['stage'] ?? (entry['excluded'] === undefined ? (stage ?? 'source') : 'source')) as Stage,
    ...(entry['stage'] === undefined && stage === undefined ? { unstaged: true } : {}),
    ...(typeof entry['excluded'] === 'string' ? { excluded: entry['excluded'] } : {}),
    customer: textOf(entry['customer']) ?? '',
    ...texts(entry, ['currency', 'payment_method', 'status', 'pays_twice']),
    items: listIn(entry['items']).map(itemFrom),
    ...instants(entry),
    // Absent only in an excluded entry; otherwise a rule reports it.
    anchor: typeof entry['anchor'] === 'string' ? instantOf(entry['anchor']) : instant(0),
    discounts: listIn(entry['discounts']).map(discountFrom),
    tax_rates: keys(entry['tax_rates']),
    automatic_tax: entry['automatic_tax'] === true,
    ...(typeof entry['cancel_at_period_end'] === 'boolean'
      ? { cancel_at_period_end: entry['cancel_at_period_end'] }
      : {}),
    collection_method: entry['collection_method'] === 'send_invoice' ? 'send_invoice' : 'charge_automatically',
    ...(typeof entry['days_until_due'] === 'number' ? { days_until_due: entry['days_until_due'] } : {}),
    ...managedFrom(entry['managed_by_application']),
    ...(entry['override'] === undefined ? {} : { override: keys(entry['override']) as readonly OverrideCode[] }),
  }
}

function instants(entry: JsonObject): Pick<Terms, 'next_invoice' | 'trial_end' | 'cancel_at'> {
  const { next_invoice: next, trial_end: trial, cancel_at: cancel } = entry
  return {
    ...(typeof next === 'string' ? { next_invoice: instantOf(next) } : {}),
    ...(typeof trial === 'string' ? { trial_end: instantOf(trial) } : {}),
    ...(typeof cancel === 'string' ? { cancel_at: instantOf(cancel) } : {}),
  }
}

function texts(
  entry: JsonObject,
  names: readonly ('currency' | 'payment_method' | 'status' | 'pays_twice')[],
): Partial<Terms> {
  return Object.fromEntries(names.filter((name) => entry[name] !== undefined).map((name) => [name, entry[name]]))
}

function itemFrom(written: Json): DesiredItem {
  const item = objectIn(written)
  const { quantity, tax_rates: rates, discounts, metadata } = item
  return {
    price: textOf(item['price']) ?? '',
    ...(typeof quantity === 'number' ? { quantity } : {}),
    ...(rates === undefined ? {} : { tax_rates: keys(rates) }),
    ...(discounts === undefined ? {} : { discounts: listIn(discounts).map(discountFrom) }),
    ...(isJsonObject(metadata) ? { metadata: sorted(metadata) } : {}),
  }
}

function discountFrom(written: Json): DesiredDiscount {
  const discount = objectIn(written)
  const ends = discount['ends']
  return {
    coupon: textOf(discount['coupon']) ?? '',
    ...(typeof ends === 'string' ? { ends: instantOf(ends) } : {}),
  }
}

function managedFrom(written: Json | undefined): Pick<Terms, 'managed_by_application'> {
  if (written === 'open_ended') return { managed_by_application: 'open_ended' }
  if (!isJsonObject(written)) return {}
  return { managed_by_application: { payments_left: Number(written['payments_left']) } }
}

function sorted(metadata: JsonObject): Record<string, string> {
  const entries = Object.entries(metadata).map(([key, one]) => [key, String(one as string)] as const)
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
}

const textOf = (value: Json | undefined): string | undefined => (typeof value === 'string' ? value : undefined)
const keys = (value: Json | undefined): readonly string[] => listIn(value).map((one) => String(one as string))
