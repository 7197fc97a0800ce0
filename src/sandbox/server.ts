// The sandbox as an HTTP server on this machine.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { assert } from '../core/assert.ts'
import { ConnectionCut } from './faults.ts'
import type { Sandbox } from './sandbox.ts'

/**
 * Listens on `port` (0: any free one). Webhooks are sent to this machine only, unless the sandbox
 * has another way to deliver.
 */
export async function serveSandbox(
  sandbox: Sandbox,
  options: { readonly port: number; readonly host?: string },
): Promise<{ url: string; close(): Promise<void> }> {
  const { port, host = '127.0.0.1' } = options
  sandbox.world.deliver ??= deliverNearby
  const server = createServer((request, response) => {
    void answer(sandbox, request, response)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  const address = server.address()
  assert(isAddress(address), 'the server listens on a port')
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`
  sandbox.world.hosted = url
  return {
    url,
    async close() {
      await new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
      sandbox.close()
    },
  }
}

const nearby = /^(localhost|127(\.\d+){3}|\[::1\])$/

/**
 * A simulated world must not send to real addresses: it treats receivers on other machines as if
 * they had answered 200.
 */
const deliverNearby: typeof globalThis.fetch = async (input, init) => {
  const request = new Request(input, init)
  return nearby.test(new URL(request.url).hostname) ? globalThis.fetch(request) : new Response(null, { status: 200 })
}

async function answer(sandbox: Sandbox, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const body = await read(request)
    const method = request.method ?? 'GET'
    const headers = new Headers()
    for (const [name, value] of Object.entries(request.headers))
      if (typeof value === 'string' && !hopByHop.has(name)) headers.set(name, value)
    const answered = await sandbox.fetch(new URL(request.url ?? '/', 'http://sandbox'), {
      method,
      headers,
      ...(body === '' || method === 'GET' || method === 'HEAD' ? {} : { body }),
    })
    response.writeHead(answered.status, Object.fromEntries(answered.headers))
    response.end(Buffer.from(await answered.arrayBuffer()))
  } catch (error) {
    if (error instanceof ConnectionCut) {
      request.socket.destroy()
      return
    }
    // A fault of the sandbox itself is printed, and never looks like an answer of Stripe.
    process.stderr.write(
      `sandbox: ${request.method} ${request.url}: ${error instanceof Error ? error.stack : String(error)}\n`,
    )
    if (!response.headersSent) response.writeHead(500, { 'content-type': 'application/json' })
    response.end(
      JSON.stringify({
        error: {
          type: 'api_error',
          message: 'the sandbox failed and did not answer the request; its output shows the error',
        },
      }),
    )
  }
}

const hopByHop = new Set([
  'connection',
  'content-length',
  'host',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
  'expect',
])

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

function isAddress(address: AddressInfo | string | null): address is AddressInfo {
  return typeof address === 'object' && address !== null
}
