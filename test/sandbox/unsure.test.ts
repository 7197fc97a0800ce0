import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import {
  pairwiseWorlds,
  randomWorld,
  readings,
  readWorldText,
  switches,
  switchNames,
  worldText,
} from '../../src/sandbox/kernel/unsure.ts'
import { cloneSandbox, createSandbox } from '../../src/sandbox/sandbox.ts'

const control = async (sandbox: ReturnType<typeof createSandbox>, method: string, body?: object) => {
  const answer = await sandbox.fetch('http://sandbox/_sandbox/unsure', {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
}

describe('the choices that make a possible world', () => {
  test('each has a question, a source and at least two readings', () => {
    for (const name of switchNames) {
      const { asks, source } = switches[name]
      expect([asks.endsWith('.'), source.length > 0, new Set(readings(name)).size > 1]).toEqual([true, true, true])
    }
  })

  test('each names its row in docs/to-confirm.md', async () => {
    const text = await readFile(new URL('../../docs/to-confirm.md', import.meta.url), 'utf8')
    const rows = [...text.matchAll(/^\| (\d+) \|/gm)].map(([, row]) => Number(row))
    const missing = switchNames.filter((name) => {
      const { row, grade } = switches[name]
      return grade === 'open' && !rows.includes(row ?? 0)
    })
    expect(missing).toEqual([])
  })

  test('are read and set by a control, stored with the world, and copied with it', async () => {
    const sandbox = createSandbox()
    expect((await control(sandbox, 'GET')).body).toMatchObject({ prorations_at_cancel: { value: 'go' } })
    await control(sandbox, 'POST', { prorations_at_cancel: 'stay' })
    expect(worldText(cloneSandbox(sandbox).world.unsure)).toBe('prorations_at_cancel=stay')
    const rows = [...sandbox.world.dump()]
    const again = createSandbox({ storage: { load: () => rows, save: () => {} } })
    expect(again.world.unsure.prorations_at_cancel).toBe('stay')
  })

  test('a few worlds hold every pair of readings', () => {
    const worlds = pairwiseWorlds()
    expect(worlds.length).toBeLessThan(20)
    const open = switchNames.filter((name) => switches[name].grade === 'open')
    const choices = open.flatMap((name) => readings(name).map((value) => [name, value] as const))
    const missing = choices.flatMap(([a, x]) =>
      choices.flatMap(([b, y]) =>
        a === b || worlds.some((one) => one[a] === x && one[b] === y) ? [] : [`${a}=${x} ${b}=${y}`],
      ),
    )
    expect(missing).toEqual([])
  })

  test('the text of a world reproduces that world', () => {
    for (const seed of [1, 2, 3]) {
      const world = randomWorld(seed)
      expect(readWorldText(worldText(world))).toEqual({ world })
      expect(readWorldText(`random:${seed}`)).toEqual({ world })
    }
    expect(readWorldText('nothing=true')).toMatchObject({ wrong: expect.stringContaining('there is no switch') })
  })

  test('an unknown switch and an unknown reading are refused with a list of the known ones', async () => {
    const sandbox = createSandbox()
    expect(await control(sandbox, 'POST', { nothing: true })).toMatchObject({ status: 400 })
    expect(await control(sandbox, 'POST', { prorations_at_cancel: true })).toMatchObject({
      status: 400,
      body: { error: { message: '"prorations_at_cancel" must be one of: go, stay' } },
    })
  })
})
