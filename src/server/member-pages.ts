import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { reportBug } from '../engine/inbox/bugs.ts'
import type { Ending } from '../engine/inbox/ending.ts'
import type { ServerContext } from './context.ts'
import type { Reader } from './page.ts'
import { wordsFor } from './words.ts'

/**
 * Milliseconds to wait for Stripe's details before the page is shown without them. The request can
 * be stored while Stripe does not answer.
 */
const describeMilliseconds = 1_500

/** What the member has, or undefined when Stripe does not answer in time. */
export async function describedInTime(context: ServerContext, subscriber: string): Promise<Ending | undefined> {
  const described = context.describe(subscriber).then(
    (ending) => (ending.ok ? ending.value : undefined),
    (error: unknown) => {
      reportBug(context, error, 'the page of a member')
      context.log({ level: 'warn', event: 'not_described', error: error instanceof Error ? error.name : 'unknown' })
      return undefined
    },
  )
  return Promise.race([described, sleep(describeMilliseconds, undefined, { ref: false })])
}

export function readerOf({ school }: ServerContext, request: FastifyRequest): Reader {
  return { words: wordsFor(request.headers['accept-language']), school }
}

/** The page's address relative to itself, because a proxy may add a path in front. */
export function hereOf(request: FastifyRequest): string {
  return `./${(request.params as { token: string }).token}`
}

export function html(reply: FastifyReply, status: number, page: string): FastifyReply {
  return reply
    .code(status)
    .header('cache-control', 'no-store')
    .header('vary', 'accept-language')
    .type('text/html; charset=utf-8')
    .send(page)
}
