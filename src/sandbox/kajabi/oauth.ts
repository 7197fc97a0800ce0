import { instant } from '../../core/instant.ts'
import { type Answer, refuse, refuseToken, unauthorized } from './answers.ts'
import type { Token } from './model.ts'
import { type SiteRequest, formBody } from './requests.ts'
import type { Site } from './site.ts'

/** The only API key of the site. */
export interface SiteKey {
  client_id: string
  client_secret: string
}

/**
 * `POST /v1/oauth/token`: client credentials or a refresh token. Its errors are flat, not JSON:API.
 */
export function issueToken(site: Site, key: SiteKey, request: SiteRequest): Answer {
  const form = formBody(request)
  switch (form.get('grant_type')) {
    case 'client_credentials':
      if (form.get('client_id') !== key.client_id || form.get('client_secret') !== key.client_secret)
        throw refuseToken(401, 'Invalid client credentials')
      break
    case 'refresh_token': {
      const refresh = form.get('refresh_token')
      const known = [...site.tokens.all()].find((token) => token.refresh === refresh && !token.revoked)
      if (known === undefined) throw refuseToken(401, 'Invalid refresh token')
      site.tokens.put({ ...known, revoked: true })
      break
    }
    case null:
    default:
      throw refuseToken(400, 'Unsupported grant type')
  }
  forgetOld(site)
  const token: Token = {
    id: site.secret('kajabi.access', 48),
    refresh: site.secret('kajabi.refresh', 48),
    expires: instant(site.now() + site.behaviour.token_seconds),
    revoked: false,
    created: site.now(),
  }
  site.tokens.put(token)
  const body = {
    access_token: token.id,
    refresh_token: token.refresh,
    token_type: 'Bearer',
    expires_in: site.behaviour.token_seconds,
  }
  return { status: 200, type: 'application/json; charset=utf-8', body: JSON.stringify(body) }
}

/** `POST /v1/oauth/revoke`: both tokens of the pair become invalid. */
export function revokeToken(site: Site, request: SiteRequest): Answer {
  const named = formBody(request).get('token')
  for (const token of site.tokens.all())
    if (token.id === named || token.refresh === named) site.tokens.put({ ...token, revoked: true })
  return { status: 200, type: 'application/json; charset=utf-8', body: '' }
}

export function authorize(site: Site, request: SiteRequest): void {
  const bearer = /^Bearer (\S+)$/.exec(request.headers.get('authorization') ?? '')?.[1]
  const token = bearer === undefined ? undefined : site.tokens.get(bearer)
  if (token === undefined || token.revoked || token.expires <= site.now()) throw refuse(401, unauthorized)
}

/** The owner rotated the key in the dashboard: all its tokens become invalid at once. */
export function voidTokens(site: Site): void {
  for (const token of site.tokens.all()) site.tokens.put({ ...token, revoked: true })
}

function forgetOld(site: Site): void {
  const now = site.now()
  for (const token of site.tokens.all()) if (token.revoked || token.expires <= now) site.tokens.delete(token.id)
}
