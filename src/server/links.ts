import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { readLink, type LinkClaims } from '../cancel/link.ts'
import { takeText } from './app.ts'
import type { ServerContext } from './context.ts'
import { askingPage, badLinkPage, donePage, laterPage, nothingPage } from './page.ts'
import { linkKey } from './secrets.ts'
import { acceptOrUndefined } from './signals.ts'
import { wordsFor, type Words } from './words.ts'

/**
 * The member's own page. Opening it changes nothing (mail programs open links by themselves); its one button stores the wish. The link's id is the message's id, so
 * a link cancels once, however often it is pressed.
 */
export async function linkRoutes(app: FastifyInstance, context: ServerContext): Promise<void> {
  const keys = context.secrets.links.map(linkKey).filter((key) => key !== undefined)
  await app.register((pages, _, registered) => {
    takeText(pages, ['application/x-www-form-urlencoded'])
    pages.get('/cancel/:token', async (request, reply) => {
      const words = wordsOf(request)
      const claims = genuine(context, keys, request)
      if (claims === undefined) return html(reply, 404, badLinkPage(words))
      const ending = await context.describe(claims.subscriber)
      if (ending.ok && ending.value.state === 'ended') return html(reply, 200, nothingPage(words))
      const known = ending.ok ? ending.value : undefined
      return html(reply, 200, askingPage(words, known, known !== undefined && known.endsAt <= context.clock() + 60))
    })
    pages.post('/cancel/:token', async (request, reply) => {
      const words = wordsOf(request)
      const claims = genuine(context, keys, request)
      if (claims === undefined) return html(reply, 404, badLinkPage(words))
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
      return accepted === undefined ? html(reply, 503, laterPage(words)) : html(reply, 200, donePage(words))
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

function wordsOf(request: FastifyRequest): Words {
  return wordsFor(request.headers['accept-language'])
}

function html(reply: FastifyReply, status: number, page: string): FastifyReply {
  return reply
    .code(status)
    .header('cache-control', 'no-store')
    .header('vary', 'accept-language')
    .type('text/html; charset=utf-8')
    .send(page)
}
