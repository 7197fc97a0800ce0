import { failed, success, type Outcome } from '../core/outcome.ts'
import type { KajabiTransport } from './http.ts'

export interface KajabiCredentials {
  readonly clientId: string
  readonly clientSecret: string
}

/**
 * The access token of `POST /v1/oauth/token` (client credentials). Its lifetime is undocumented, so
 * the token follows `expires_in` and is renewed a tenth of that time early. Callers that find it
 * expired share one request for the next token.
 */
export class KajabiToken {
  private current: { readonly token: string; readonly until: number } | undefined
  private coming: Promise<Outcome<string>> | undefined
  private readonly transport: KajabiTransport
  private readonly credentials: KajabiCredentials
  private readonly clock: () => number

  constructor(transport: KajabiTransport, credentials: KajabiCredentials, clock: () => number) {
    this.transport = transport
    this.credentials = credentials
    this.clock = clock
  }

  async get(): Promise<Outcome<string>> {
    if (this.current !== undefined && this.clock() < this.current.until) return success(this.current.token)
    this.coming ??= this.mint().finally(() => (this.coming = undefined))
    return this.coming
  }

  /**
   * Forgets this token after a 401, although it has not expired. A newer token stays.
   */
  drop(token: string): void {
    if (this.current?.token === token) this.current = undefined
  }

  private async mint(): Promise<Outcome<string>> {
    const answer = await this.transport.send({
      method: 'POST',
      path: '/v1/oauth/token',
      form: {
        grant_type: 'client_credentials',
        client_id: this.credentials.clientId,
        client_secret: this.credentials.clientSecret,
      },
    })
    if (!answer.ok) {
      const { failure } = answer
      // A token request changes nothing, so a broken connection may be repeated; a refusal is
      // final.
      const refused = (failure.status === 400 || failure.status === 401) && failure.code !== 'not_an_answer'
      return failed({
        ...failure,
        kind: refused ? 'rejected' : 'retryable',
        code: refused ? 'credentials_refused' : failure.code,
      })
    }
    const { access_token: token, expires_in: seconds } = answer.value
    if (typeof token !== 'string' || token === '' || typeof seconds !== 'number')
      return failed({ kind: 'retryable', code: 'not_an_answer', message: 'Kajabi sent no token', status: 200 })
    this.current = { token, until: this.clock() + seconds * 900 }
    return success(token)
  }
}
