import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { readCardToken, type CardClaims } from '../cards/link.ts'
import { failed, type Failure, type Outcome } from '../core/outcome.ts'
import { reportBug } from '../engine/inbox/bugs.ts'
import { takeText } from './app.ts'
import { askCardPage, cardLaterPage, cardSavedPage, goToStripePage, noCardPage } from './card-page.ts'
import type { ServerContext } from './context.ts'
import { describedInTime, html, readerOf } from './member-pages.ts'
import { badLinkPage } from './page.ts'
import { limitOf } from './limits.ts'
import { linkKey } from './secrets.ts'

/**
 * The page on which a member enters a card again. Opening it charges and changes nothing; after a
 * visit to Stripe's page it records the card that the member saved there. Its button leads to
 * Stripe's own page, so no card data comes near this service.
 */
export async function cardRoutes(app: FastifyInstance, context: ServerContext): Promise<void> {
  const { cards } = context
  if (cards === undefined) return
  const keys = context.secrets.links.map(linkKey).filter((key) => key !== undefined)
  await app.register((pages, _, registered) => {
    takeText(pages, ['application/x-www-form-urlencoded'])
    pages.get('/card/:token', { config: limitOf('GET /card/:token') }, async (request, reply) => {
      const reader = readerOf(context, request)
      const claims = genuine(context, keys, request)
      if (claims === undefined) return html(reply, 404, badLinkPage(reader))
      const state = await known(context, cards.state(claims))
      if (state === undefined) return html(reply, 503, cardLaterPage(reader))
      if (state.state === 'gone') return html(reply, 410, badLinkPage(reader))
      const ending = await describedInTime(context, claims.subscriber)
      if (ending !== undefined && ending.state !== 'live') return html(reply, 200, noCardPage(reader, ending))
      if (state.state === 'entered') return html(reply, 200, cardSavedPage(reader, ending))
      return html(reply, 200, askCardPage(reader, ending))
    })
    pages.post('/card/:token', { config: limitOf('POST /card/:token') }, async (request, reply) => {
      const reader = readerOf(context, request)
      const claims = genuine(context, keys, request)
      if (claims === undefined) return html(reply, 404, badLinkPage(reader))
      const { token } = request.params as { token: string }
      const opened = await known(context, cards.open(claims, token))
      context.metrics.request('card', opened?.state ?? 'not_opened')
      if (opened === undefined) return html(reply, 503, cardLaterPage(reader))
      if (opened.state === 'gone') return html(reply, 410, badLinkPage(reader))
      if (opened.state === 'entered') return html(reply, 200, cardSavedPage(reader, undefined))
      return html(reply, 200, goToStripePage(reader, opened.url))
    })
    registered()
  })
}

/** A page that has not been answered by then is repeated by its member, and finds what was done. */
const patienceMilliseconds = 8_000

const late: Failure = { kind: 'unknown', code: 'late', message: 'Stripe takes too long to answer', status: 0 }

/** Undefined when Stripe did not answer in time or refused; the member tries again. */
async function known<T>(context: ServerContext, asked: Promise<Outcome<T>>): Promise<T | undefined> {
  try {
    const outcome = await Promise.race([
      asked,
      sleep(context.cards?.patience ?? patienceMilliseconds, failed(late), { ref: false }),
    ])
    if (outcome.ok) return outcome.value
    context.log({ level: 'warn', event: 'card_page_failed', code: outcome.failure.code })
  } catch (error) {
    reportBug(context, error, 'the card page')
    context.log({ level: 'error', event: 'card_page_failed', error: error instanceof Error ? error.name : 'unknown' })
  }
  return undefined
}

function genuine(context: ServerContext, keys: readonly Buffer[], request: FastifyRequest): CardClaims | undefined {
  const { token } = request.params as { token: string }
  const verdict = readCardToken(token, keys, context.clock())
  if (verdict.ok) return verdict.claims
  context.metrics.refused('card', verdict.reason)
  return undefined
}
