import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { present } from '../../src/core/assert.ts'
import { install, installed, nodes, npm, packed } from './packed.ts'

const minutes = 60_000

describe('the packed package', () => {
  let folder = ''
  let tarball = ''
  let place: ReturnType<typeof install> = { reason: 'not installed' }
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'crossbill-package-'))
    tarball = packed(folder)
    place = install(tarball)
  }, 10 * minutes)
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true })
    if ('folder' in place) rmSync(place.folder, { recursive: true, force: true })
  })

  const manifest = (): Record<string, unknown> =>
    JSON.parse(execFileSync('tar', ['xzOf', tarball, 'package/package.json'], { encoding: 'utf8' }))

  test('has a scoped name, runs no script at installation and brings nothing for development', () => {
    expect(manifest()).toMatchObject({ name: '@crossbill/cli', bin: { crossbill: 'src/bin/crossbill.js' } })
    for (const key of ['scripts', 'devDependencies', 'workspaces', 'allowScripts'])
      expect(manifest()).not.toHaveProperty(key)
    const paths = execFileSync('tar', ['tzf', tarball], { encoding: 'utf8' }).split('\n')
    expect(paths).toContain('package/docs/codes.md')
    expect(paths.filter((path) => /\.ts$|\/test\//.test(path))).toEqual([])
  })

  test('is described by an SBOM that npm makes', (context) => {
    if (!('folder' in place)) return context.skip(`npm could not install the package: ${place.reason}`)
    const { stdout } = npm(['sbom', '--omit', 'dev', '--sbom-format', 'cyclonedx'], place.folder)
    const names = (JSON.parse(stdout) as { components: readonly { name: string }[] }).components.map(({ name }) => name)
    expect(names).toEqual(expect.arrayContaining(['@crossbill/cli', 'stripe']))
    expect(names).not.toContain('vitest')
  })

  test(
    'carries a live school on every version of Node, without a warning',
    { timeout: 30 * minutes },
    async (context) => {
      if (!('folder' in place)) return context.skip(`npm could not install the package: ${place.reason}`)
      for (const [version, node] of nodes(folder)) {
        const { run, start } = installed(place.folder, node)
        const project = ['--project', `school-${version}`]
        const fine = { code: 0, stderr: expect.not.stringMatching(/warning/i) }
        expect(run(['--version'])).toEqual({ code: 0, stdout: 'crossbill 0.1.0\n', stderr: '' })
        const begun = run(['init', '--sandbox', ...project])
        expect(begun.stderr).toContain(`Next, run: crossbill pull ${project.join(' ')}\n`)
        expect(run(['pull', ...project])).toMatchObject(fine)
        const planned = run(['plan', '--out', 'plans/all.plan.json', ...project])
        expect(planned).toMatchObject(fine)
        const [, words = ''] = present(/Apply exactly this with: crossbill (.*)/.exec(planned.stderr), 'the hint')
        const plan = JSON.parse(run(['show', 'plans/all.plan.json', '--format', 'json', ...project]).stdout)
        expect(plan).toMatchObject({ tool: 'crossbill 0.1.0' })
        expect(run([...words.split(' '), '--yes'])).toMatchObject(fine)
        expect(run(['verify', ...project])).toMatchObject(fine)
        expect(run(['report', ...project])).toMatchObject(fine)
        const report = readFileSync(join(place.folder, `school-${version}`, 'report', 'migration-plan.md'), 'utf8')
        expect(report).toContain('with crossbill 0.1.0')
        const demo = run(['demo', '--months', '1', '--subscribers', '12'])
        expect(demo).toMatchObject(fine)
        expect(demo.stdout).not.toContain('npx')
        const school = join(place.folder, `school-${version}`)
        const link = join(school, 'link.key')
        writeFileSync(link, 'a-secret-of-at-least-thirty-two-signs-0123456789')
        appendFileSync(
          join(school, 'catalog', 'project.yaml'),
          `serve: { public_url: "http://127.0.0.1:8787", link_secrets: [{ file: "${link}" }] }\n`,
        )
        const ports = ['--port', '0', '--admin-port', '0']
        const served = await start(['serve', '--format', 'json', ...ports, ...project], /"admin_url"[^}]*}|error /)
        expect(served).toMatchObject({ said: expect.not.stringMatching(/Warning|error /) })
      }
    },
  )
})
