// The answer to a request for an address that the sandbox does not have.
import { StripeError } from './errors.ts'

/** A route of the sandbox, its path in steps: `['v1', 'products', ':id']`. */
interface Known {
  readonly method: string
  readonly steps: readonly string[]
}

const trailingSlash =
  'If you are trying to list objects, remove the trailing slash. If you are trying to retrieve an object, make sure you passed a valid (non-empty) identifier in your code. '

/**
 * 501 with a sentence that names what is missing. A client must not take the limits of the sandbox
 * for an answer of Stripe, so 404 is only for addresses that are no address in Stripe either:
 * outside its two versions, or with an empty step.
 */
export function unknownRoute(method: string, pathname: string, known: readonly Known[]): StripeError {
  const steps = pathname.split('/').slice(1)
  if ((steps[0] !== 'v1' && steps[0] !== 'v2') || steps.length < 2 || steps.includes(''))
    return new StripeError(404, {
      type: 'invalid_request_error',
      message: `Unrecognized request URL (${method}: ${pathname}). ${pathname.endsWith('/') ? trailingSlash : ''}Please see https://stripe.com/docs or we can help at https://support.stripe.com/.`,
    })
  return new StripeError(
    501,
    {
      type: 'api_error',
      message: `This sandbox has no ${missingPart(method, steps, known)}. It did not execute the request. docs/sandbox.md lists the addresses that it has.`,
    },
    { headers: { 'stripe-should-retry': 'false' } },
  )
}

/** The address up to the first step that no route has; the method when only that is missing. */
function missingPart(method: string, steps: readonly string[], known: readonly Known[]): string {
  const alike = Math.max(...known.map((route) => stepsAlike(route.steps, steps)))
  if (alike < steps.length) return `/${steps.slice(0, alike + 1).join('/')}`
  const methods = known.filter((route) => route.steps.length === alike && stepsAlike(route.steps, steps) === alike)
  const address = `/${steps.join('/')}`
  return methods.length === 0
    ? `${method} ${address}`
    : `${method} ${address}, only ${methods.map((route) => route.method).join(' and ')}`
}

/** How many steps from the left are equal, or an id. */
function stepsAlike(pattern: readonly string[], steps: readonly string[]): number {
  const differs = steps.findIndex((step, at) => pattern[at] !== step && pattern[at]?.startsWith(':') !== true)
  return differs === -1 ? steps.length : differs
}
