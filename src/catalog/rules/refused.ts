import { stripeCurrencies } from '../../core/currencies.ts'
import type { Diagnostic, Position } from '../../core/diagnostic.ts'
import { isJsonObject, type Json, type JsonObject, listIn, objectIn } from '../../core/json.ts'
import { suggest } from '../../core/suggest.ts'
import { eventNames } from '../../kinds/event-names.ts'
import { type Draft, type DraftResource, placeIn, placeOfSubscriber } from '../draft.ts'
import { lint, type LintSwitches } from '../rule-names.ts'
import type { Path } from '../yaml-places.ts'
import type { LintRule } from './lint-off.ts'

/** Lints of what Stripe refuses at apply. They run with the rules of the catalog. */
export const refusedRules: readonly LintRule[] = [currencyUnknown, eventUnknown, portalRefused]

/** Every currency in every entry, whatever its kind. */
function* currencyUnknown(draft: Draft, switches: LintSwitches): Iterable<Diagnostic> {
  for (const resource of draft.resources)
    for (const { path, currency, part } of currenciesIn(resource.value, []))
      yield* unknown(currency, switches, () => placeIn(resource, path, part))
  for (const subscriber of draft.subscribers)
    if (subscriber.currency !== undefined)
      yield* unknown(subscriber.currency, switches, () => placeOfSubscriber(draft, subscriber, ['currency']))
}

function unknown(currency: string, switches: LintSwitches, at: () => Position): readonly Diagnostic[] {
  if (stripeCurrencies.has(currency)) return []
  const near = suggest(currency, stripeCurrencies)
  const fix = near === undefined ? 'see https://docs.stripe.com/currencies' : `did you mean "${near}"?`
  const message = `Stripe makes no prices in the currency "${currency}"`
  return lint('currency-unknown', switches, { message, fix, at: at() })
}

interface Written {
  readonly path: Path
  readonly currency: string
  readonly part: 'key' | 'value'
}

function currenciesIn(value: Json, path: Path): readonly Written[] {
  if (Array.isArray(value))
    return (value as readonly Json[]).flatMap((one, index) => currenciesIn(one, [...path, index]))
  if (!isJsonObject(value)) return []
  return Object.entries(value).flatMap(([name, inner]): readonly Written[] => {
    const here = [...path, name]
    // Metadata holds words of the project.
    if (name === 'metadata') return []
    if (/(^|_)currency$/.test(name) && typeof inner === 'string')
      return [{ path: here, currency: inner, part: 'value' }]
    const keys = name === 'currency_options' && isJsonObject(inner) ? Object.keys(inner) : []
    return [
      ...keys.map((key): Written => ({ path: [...here, key], currency: key, part: 'key' })),
      ...currenciesIn(inner ?? null, here),
    ]
  })
}

function* eventUnknown(draft: Draft, switches: LintSwitches): Iterable<Diagnostic> {
  // Thin events have further names, which are not listed here.
  const destinations = ofKind(draft, 'event_destination').filter(({ value }) => value['event_payload'] === 'snapshot')
  for (const endpoint of [...ofKind(draft, 'webhook_endpoint'), ...destinations])
    for (const [index, name] of listIn(endpoint.value['enabled_events']).entries()) {
      if (typeof name !== 'string' || name === '*' || eventNames.has(name)) continue
      const near = likelyEvent(name)
      const fix = near === undefined ? 'see https://docs.stripe.com/api/events/types' : `did you mean "${near}"?`
      const at = placeIn(endpoint, ['enabled_events', index])
      yield* lint('event-unknown', switches, { message: `Stripe has no event "${name}"`, fix, at })
    }
}

/**
 * What happened is the last word, and is compared alone: "cancelled" is no mistyped "created".
 * Stripe's word for a subscription that was cancelled is "deleted".
 */
function likelyEvent(name: string): string | undefined {
  const words = [name.replace(/\.cancell?ed$/, '.canceled'), name.replace(/\.cancell?ed$/, '.deleted')]
  const exact = words.find((one) => eventNames.has(one))
  const near = exact ?? suggest(name, eventNames)
  const isNear = exact !== undefined || suggest(lastWord(name), [lastWord(near ?? '')]) !== undefined
  return isNear ? near : undefined
}

function lastWord(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1)
}

/**
 * A feature that is enabled needs its lists, and an offered price is recurring, active and of its
 * product. https://docs.stripe.com/api/customer_portal/configurations/create
 */
function* portalRefused(draft: Draft, switches: LintSwitches): Iterable<Diagnostic> {
  const prices = new Map(ofKind(draft, 'price').map((price) => [price.key, price.value]))
  for (const portal of ofKind(draft, 'portal_configuration')) {
    const refuse = (path: Path, message: string, fix: string): readonly Diagnostic[] =>
      lint('portal-refused', switches, {
        message: `${portal.address} ${message}`,
        fix,
        at: placeIn(portal, ['features', ...path], 'key'),
      })
    const features = objectIn(portal.value['features'])
    for (const [feature, lists] of Object.entries(neededLists))
      for (const list of lists) {
        const part = objectIn(features[feature])
        if (part['enabled'] !== true || listIn(part[list]).length > 0) continue
        yield* refuse([feature, list], `enables ${feature} without ${list}`, `write ${list}, or enabled: false`)
      }
    const reason = objectIn(objectIn(features['subscription_cancel'])['cancellation_reason'])
    if (reason['enabled'] === true && listIn(reason['options']).length === 0)
      yield* refuse(
        ['subscription_cancel', 'cancellation_reason', 'options'],
        'asks for a reason without options',
        'write options, or enabled: false',
      )
    const pause = objectIn(objectIn(features['subscription_pause'])['duration'])
    if (pause['type'] === 'interval_options' && listIn(pause['interval_options']).length === 0)
      yield* refuse(
        ['subscription_pause', 'duration', 'interval_options'],
        'has pauses of fixed length without interval_options',
        'write interval_options, or type: indefinite',
      )
    for (const [index, offered] of listIn(objectIn(features['subscription_update'])['products']).entries())
      for (const { path, message, fix } of offerProblems(objectIn(offered), prices))
        yield* refuse(['subscription_update', 'products', index, ...path], message, fix)
  }
}

const neededLists: Readonly<Record<string, readonly string[]>> = {
  customer_update: ['allowed_updates'],
  subscription_update: ['default_allowed_updates', 'products'],
}

interface Problem {
  readonly path: Path
  readonly message: string
  readonly fix: string
}

function offerProblems(offered: JsonObject, prices: ReadonlyMap<string, JsonObject>): readonly Problem[] {
  const quantity = objectIn(offered['adjustable_quantity'])
  const [least, most] = [Number(quantity['minimum'] ?? 1), Number(quantity['maximum'] ?? Number.MAX_SAFE_INTEGER)]
  const wrongQuantity =
    quantity['enabled'] === true && least > most
      ? [{ path: ['adjustable_quantity'], message: 'has a minimum above the maximum', fix: 'swap them' }]
      : []
  const wrongPrices = listIn(offered['prices']).flatMap((key, index): readonly Problem[] => {
    const price = typeof key === 'string' ? prices.get(key) : undefined
    if (price === undefined || typeof key !== 'string') return []
    const problem = (why: string, fix: string): readonly Problem[] => [
      { path: ['prices', index], message: `offers price.${key}, which ${why}`, fix },
    ]
    if (typeof price['product'] === 'string' && price['product'] !== offered['product'])
      return problem('belongs to another product', `offer it under product: ${price['product']}`)
    if (!isJsonObject(price['recurring'])) return problem('is a one-time price', 'offer recurring prices')
    return price['active'] === false ? problem('is archived', 'offer active prices') : []
  })
  return [...wrongQuantity, ...wrongPrices]
}

export function ofKind(draft: Draft, kind: string): readonly DraftResource[] {
  return draft.resources.filter((one) => one.kind === kind)
}
