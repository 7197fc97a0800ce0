import { execFile, execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { instant } from '../../src/core/instant.ts'
import { hookSecret, relaySecret, runService, stripeSecret, type Running } from './service.ts'

/** The commands of docs/doors.md, each with the status that the document promises. */
const commands = [
  ...readFileSync('docs/doors.md', 'utf8').matchAll(/```sh\n(?<command>[^]*?)\n# (?<status>\d{3})\n```/g),
].map(({ groups }) => ({ command: groups?.['command'] ?? '', status: groups?.['status'] ?? '' }))

function has(program: string): boolean {
  try {
    execFileSync(program, [program === 'openssl' ? 'version' : '--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

describe.skipIf(!['bash', 'curl', 'openssl'].every(has))('docs/doors.md', () => {
  let running: Running
  beforeAll(async () => {
    running = await runService()
    running.clock.now = instant(Math.floor(Date.now() / 1_000))
  })
  afterAll(() => running.service.close())

  test('has a command for every door', () => {
    expect(commands.length).toBeGreaterThanOrEqual(5)
  })

  test.each(commands)('$status: $command', async ({ command, status }) => {
    const env = {
      PATH: process.env['PATH'],
      URL: running.service.url,
      HOOK_SECRET: hookSecret,
      RELAY_SECRET: relaySecret,
      STRIPE_SECRET: stripeSecret,
    }
    const { stdout } = await promisify(execFile)('bash', ['-euc', command], { env })
    expect(stdout.trim()).toBe(status)
  })
})
