import type { FastifyInstance, FastifyRequest } from 'fastify'
import { readLink, type LinkClaims } from '../cancel/link.ts'
import { takeText } from './app.ts'
import type { ServerContext } from './context.ts'
import {
  askingPage,
  badLinkPage,
  donePage,
  endingPage,
  laterPage,
  nothingPage,
  personPage,
  waitingPage,
} from './page.ts'
import { describedInTime, hereOf, html, readerOf } from './member-pages.ts'
import { limitOf } from './limits.ts'
import { linkKey } from './secrets.ts'
import { acceptOrUndefined } from './signals.ts'

/**
 * The member's own page. Opening it changes nothing, because mail programs open links by
 * themselves; its one button stores the cancel request. The link's id is the message's id, so a
 * link cancels once, however often the button is pressed. Afterwards the page shows the request's
 * state.
 */
export async function linkRoutes(app: FastifyInstance, context: ServerContext): Promise<void> {
  const keys = context.secrets.links.map(linkKey).filter((key) => key !== undefined)
  await app.register((pages, _, registered) => {
    takeText(pages, ['application/x-www-form-urlencoded'])
    pages.get('/cancel/:token', { config: limitOf('GET /cancel/:token') }, async (request, reply) => {
      const reader = readerOf(context, request)
      const claims = genuine(context, keys, request)
      if (claims === undefined) return html(reply, 404, badLinkPage(reader))
      const pressed = await context.pressed(claims.id)
      if (pressed === 'waiting') return html(reply, 200, waitingPage(reader, hereOf(request)))
      if (pressed === 'person') return html(reply, 200, personPage(reader))
      const known = await describedInTime(context, claims.subscriber)
      if (pressed === 'done')
        return html(reply, 200, donePage(reader, known?.state === 'ending' ? known.endsAt : undefined))
      if (known?.state === 'ended') return html(reply, 200, nothingPage(reader))
      if (pressed === 'over') return html(reply, 410, badLinkPage(reader))
      if (known?.state === 'ending') return html(reply, 200, endingPage(reader, known.endsAt))
      return html(reply, 200, askingPage(reader, known, known !== undefined && known.endsAt <= context.clock() + 60))
    })
    pages.post('/cancel/:token', { config: limitOf('POST /cancel/:token') }, async (request, reply) => {
      const reader = readerOf(context, request)
      const claims = genuine(context, keys, request)
      if (claims === undefined) return html(reply, 404, badLinkPage(reader))
      const { subscriber, offer, id } = claims
      const accepted = await acceptOrUndefined(context, {
        source: 'link',
        event: 'cancel',
        subscriber,
        ...(offer === '' ? {} : { offer }),
        receivedAt: context.clock(),
        message: id,
      })
      context.metrics.request(
        'link',
        accepted === undefined ? 'not_stored' : accepted.duplicate ? 'duplicate' : 'accepted',
      )
      if (accepted === undefined) return html(reply, 503, laterPage(reader))
      // After the redirect, Back, reload and a second tab show the state and send nothing again.
      return reply.code(303).header('location', hereOf(request)).header('cache-control', 'no-store').send()
    })
    registered()
  })
}

function genuine(context: ServerContext, keys: readonly Buffer[], request: FastifyRequest): LinkClaims | undefined {
  const { token } = request.params as { token: string }
  const verdict = readLink(token, keys, context.clock())
  if (verdict.ok) return verdict.claims
  context.metrics.refused('link', verdict.reason)
  return undefined
}
