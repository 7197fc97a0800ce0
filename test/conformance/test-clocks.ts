import { instant } from '../../src/core/instant.ts'
import { cloneSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts'

interface Clock {
  readonly object: Record<string, unknown>
  readonly world: Sandbox
}

/**
 * The sandbox has one clock for all customers; Stripe's test clocks hold some customers each. Here
 * a test clock is a copy of the sandbox at the requested time, and every request goes to the copy
 * while it exists. That is enough for cases that run one after another, and the whole path through
 * the SDK is tested.
 */
export function withTestClocks(sandbox: Sandbox): typeof globalThis.fetch {
  const clocks = new Map<string, Clock>()
  const show = async (id: string, to: number): Promise<Response> => {
    const clock = clocks.get(id)
    if (clock === undefined) return Response.json({ error: missing(id) }, { status: 404 })
    await clock.world.world.advance(instant(to))
    const object = { ...clock.object, frozen_time: clock.world.clock() }
    clocks.set(id, { ...clock, object })
    return Response.json(object)
  }
  return async (input, init) => {
    const { url, method, headers } = new Request(input, init)
    const path = /^\/v1\/test_helpers\/test_clocks\/?(\w*)(\/advance)?$/.exec(new URL(url).pathname)
    const asked = new URLSearchParams(method === 'POST' ? await new Request(input, init).text() : '')
    if (path === null) {
      const [clock] = clocks.values()
      const { fetch } = clock?.world ?? sandbox
      if (!asked.has('test_clock')) return fetch(input, init)
      asked.delete('test_clock')
      return fetch(url, { method, headers, body: asked.toString() })
    }
    const [, id = '', step] = path
    const to = Number(asked.get('frozen_time'))
    if (id === '') {
      const made = `clock_${clocks.size + 1}`
      clocks.set(made, { object: fresh(made, sandbox.clock()), world: cloneSandbox(sandbox) })
      return show(made, to)
    }
    if (method === 'DELETE') {
      clocks.delete(id)
      return Response.json({ id, object: 'test_helpers.test_clock', deleted: true })
    }
    return show(id, step === undefined ? (clocks.get(id)?.world.clock() ?? 0) : to)
  }
}

function fresh(id: string, created: number): Record<string, unknown> {
  const lasting = 30 * 86_400
  return {
    id,
    object: 'test_helpers.test_clock',
    created,
    deletes_after: created + lasting,
    livemode: false,
    name: 'Crossbill conformance',
    status: 'ready',
    status_details: {},
  }
}

function missing(id: string): object {
  return { type: 'invalid_request_error', code: 'resource_missing', message: `No such testclock: '${id}'`, param: 'id' }
}
