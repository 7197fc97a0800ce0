import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { doorLimits } from '../../src/server/limits.ts'
import { runService, type Running } from './service.ts'

const setting = 7
const page = readFileSync('docs/doors.md', 'utf8')
/** The doors and limits that the page documents. */
const documented = [
  ...page.matchAll(/^\| (?:`(?<door>(?:GET|POST) [^`]+)`|every other address) \| `?(?<most>[\w.]+)`? \|$/gm),
].map(({ groups }) => ({ door: groups?.['door'] ?? 'GET /elsewhere', most: groups?.['most'] ?? '' }))

describe('requests a minute', () => {
  let running: Running
  beforeAll(async () => {
    running = await runService({ options: { requestsPerMinute: setting } })
  })
  afterAll(() => running.service.close())

  test('docs/doors.md has the limit of every door', () => {
    const written = Object.fromEntries(documented.map(({ door, most }) => [door, most]))
    const inForce = Object.entries(doorLimits).map(([door, most]) => [
      door,
      most === 'setting' ? 'serve.requests_per_minute' : String(most),
    ])
    expect(written).toEqual({ ...Object.fromEntries(inForce), 'GET /elsewhere': 'serve.requests_per_minute' })
  })

  test.each(documented)('$door: $most, and no other door is closed by it', async ({ door, most }) => {
    const [method = '', path = ''] = door.split(' ')
    const limit = most === 'serve.requests_per_minute' ? setting : Number(most)
    const url = `${running.service.url}${path.replace(/:\w+/, door.includes('stripe') ? 'target' : 'unknown')}`
    const type = /token/.test(door) ? 'application/x-www-form-urlencoded' : 'application/json'
    const init = method === 'GET' ? {} : { method, headers: { 'content-type': type }, body: '{}' }
    const codes: (number | string)[] = []
    // Some at a time, so that a large budget is used up within its minute.
    for (let sent = 0; sent < limit + 5; sent += 100) {
      const some = Array.from({ length: Math.min(100, limit + 5 - sent) }, async () => {
        const answer = await fetch(url, init)
        await answer.arrayBuffer()
        return /^\d+$/.test(answer.headers.get('retry-after') ?? '') ? `${answer.status} later` : answer.status
      })
      codes.push(...(await Promise.all(some)))
    }
    expect(codes.filter((code) => code === '429 later')).toHaveLength(5)
  })
})
