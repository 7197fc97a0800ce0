import { failed, success, type Outcome } from '../core/outcome.ts'
import type { KajabiTransport } from './http.ts'

export interface KajabiCredentials {
  readonly clientId: string
  readonly clientSecret: string
}

/**
 * The access token of `POST /v1/oauth/token` (client credentials). Its life is undocumented, so
 * `expires_in` is obeyed, and it is renewed a tenth of that life early. One request at a time: many
 * callers that find it expired share the same new one.
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
   * After a 401: this token is dead, however long it should have lived. A newer one is left alone.
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
      // Asking for a token changes nothing, so whatever was cut may simply be asked again; a
      // refusal is final.
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
