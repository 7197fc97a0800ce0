import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { present } from '../../src/core/assert.ts'
import { root } from '../house/sources.ts'

/** Where the registry does not answer, npm would try again for many minutes. */
const patience = 8 * 60_000

/** npm with the Node of this run, without the settings that npm gave to this test run. */
export function npm(words: readonly string[], cwd: string): { code: number | null; stdout: string; stderr: string } {
  const settings = { npm_config_fetch_retries: '1', npm_config_fetch_retry_mintimeout: '1000' }
  const env = { ...environment(), ...settings }
  const { status, stdout, stderr, error } = spawnSync('npm', words, { cwd, encoding: 'utf8', env, timeout: patience })
  return { code: status, stdout, stderr: error === undefined ? stderr : `npm error: ${error.message}` }
}

function environment(node = process.execPath): NodeJS.ProcessEnv {
  // The certificates that this machine trusts are no setting of the test run.
  const own = Object.entries(process.env).filter(
    ([name]) => name === 'NODE_EXTRA_CA_CERTS' || !/^(npm_|CROSSBILL_|NODE_)/i.test(name),
  )
  return { ...Object.fromEntries(own), PATH: `${dirname(node)}:${process.env['PATH'] ?? ''}`, NO_COLOR: '1' }
}

/** Packs a copy of this checkout, because packing changes package.json for a moment. */
export function packed(folder: string): string {
  const copy = join(folder, 'checkout')
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  })
  for (const path of listed.split('\n').filter((line) => /^(src|docs|\.node|[^/]+$)/.test(line)))
    cpSync(join(root, path), join(copy, path))
  mkdirSync(join(copy, 'node_modules'))
  for (const name of readdirSync(join(root, 'node_modules')))
    if (name !== '.package-lock.json') symlinkSync(join(root, 'node_modules', name), join(copy, 'node_modules', name))
  const { code, stderr } = npm(['pack', '--pack-destination', folder], copy)
  if (code !== 0) throw new Error(stderr)
  return join(
    folder,
    present(
      readdirSync(folder).find((name) => name.endsWith('.tgz')),
      'a tarball',
    ),
  )
}

export interface Installed {
  readonly run: (words: readonly string[]) => { code: number | null; stdout: string; stderr: string }
  /** Runs a command that stays until it has said `ready`, and then stops it. */
  readonly start: (words: readonly string[], ready: RegExp) => Promise<{ said: string; code: number | null }>
}

/** The program in `folder`, run by the Node at `node`. */
export function installed(folder: string, node: string): Installed {
  const bin = join(folder, 'node_modules', '.bin', 'crossbill')
  const options = { cwd: folder, env: environment(node) }
  return {
    run(words) {
      const { status, stdout, stderr } = spawnSync(bin, words, { ...options, encoding: 'utf8' })
      return { code: status, stdout, stderr }
    },
    start: (words, ready) =>
      new Promise((done) => {
        const child = spawn(bin, words, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
        let said = ''
        const heard = (chunk: Buffer): void => {
          said += chunk.toString()
          if (ready.test(said)) child.kill('SIGTERM')
        }
        child.stdout.on('data', heard)
        child.stderr.on('data', heard)
        child.on('close', (code) => done({ said, code }))
      }),
  }
}

/** An empty folder with the tarball installed, or the reason why npm could not install it. */
export function install(tarball: string): { readonly folder: string } | { readonly reason: string } {
  const folder = mkdtempSync(join(tmpdir(), 'crossbill-installed-'))
  writeFileSync(join(folder, 'package.json'), '{ "name": "school", "version": "1.0.0", "private": true }\n')
  const { code, stderr } = npm(['install', '--prefer-offline', '--no-audit', '--no-fund', tarball], folder)
  if (code === 0 && !/install-scripts/.test(stderr)) return { folder }
  rmSync(folder, { recursive: true, force: true })
  if (code === 0) throw new Error(`the package has install scripts: ${stderr}`)
  return { reason: stderr.split('\n').find((line) => line.includes('error')) ?? stderr }
}

/** The Node of this run, and those that CROSSBILL_NODES names, fetched by npm. */
export function nodes(folder: string): readonly (readonly [version: string, path: string])[] {
  const wanted = (process.env['CROSSBILL_NODES'] ?? '').split(',').filter((version) => version !== '')
  const fetched = wanted.map((version) => {
    const place = join(folder, `node-${version}`)
    mkdirSync(place)
    const name = `node-${process.platform}-${process.arch}@${version}`
    const { code, stderr } = npm(['install', '--no-save', '--no-audit', '--no-fund', '--prefix', place, name], place)
    if (code !== 0) throw new Error(stderr)
    const path = join(place, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node')
    return [version, path] as const
  })
  return [[process.versions.node, process.execPath], ...fetched]
}
