import { execFile } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { loadCatalog } from '../../src/catalog/load.ts'
import { readCatalogFiles } from '../../src/files/catalog-files.ts'
import { openSecretSink } from '../../src/files/secret-sink.ts'
import { resolveSecret } from '../../src/files/secrets.ts'
import { writeWhole } from '../../src/files/write.ts'

const home = mkdtempSync(join(tmpdir(), 'crossbill-files-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))
let folder = ''
let count = 0
beforeEach(() => {
  folder = join(home, String(++count))
  mkdirSync(folder)
})
const file = (name: string, text: string | Buffer, mode = 0o644): string => {
  const path = join(folder, name)
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}
const modeOf = (path: string): number => statSync(path).mode & 0o777
const node = process.execPath

describe('catalog files', () => {
  test('are read from every folder in order, and other files are not', async () => {
    file('catalog/prices.yaml', 'prices: {}')
    file('catalog/subscribers/us/wave-02.yml', 'b')
    file('catalog/subscribers/us/wave-01.yaml', '\uFEFFa 🐦')
    file('catalog/copy-map/us.csv', 'x')
    file('catalog/.hidden.yaml', 'x')
    mkdirSync(join(folder, 'catalog/folder.yaml'))
    symlinkSync(join(folder, 'catalog/prices.yaml'), join(folder, 'catalog/linked.yaml'))
    expect(await readCatalogFiles(join(folder, 'catalog'))).toEqual([
      { path: 'linked.yaml', text: 'prices: {}' },
      { path: 'prices.yaml', text: 'prices: {}' },
      { path: 'subscribers/us/wave-01.yaml', text: '\uFEFFa 🐦' },
      { path: 'subscribers/us/wave-02.yml', text: 'b' },
    ])
  })

  test('that are not UTF-8 give one finding with its position, and no further ones', async () => {
    file('catalog/project.yaml', 'project: a\n')
    file('catalog/products.yaml', Buffer.from('products:\n  a: { name: f\xfcr }\n', 'latin1'))
    file('catalog/prices.yaml', 'prices:\n  p: { product: a, currency: usd, unit_amount: 5 }\n')
    const { findings } = loadCatalog(await readCatalogFiles(join(folder, 'catalog')))
    expect(findings.filter((one) => one.at?.file !== 'project.yaml')).toMatchObject([
      { rule: 'not-text', severity: 'error', at: { file: 'products.yaml', line: 2, column: 15 } },
    ])
  })

  test('a missing catalog is reported in words', async () => {
    await expect(readCatalogFiles(join(folder, 'nowhere'))).rejects.toMatchObject({
      name: 'CommandError',
      code: 'no_catalog',
    })
  })
})

describe('writing a file', () => {
  test('makes its folders, replaces the whole file, keeps the mode, and leaves no other file', async () => {
    const path = file('deep/plan.json', 'a longer text than the next', 0o640)
    await writeWhole(path, 'next\n')
    await writeWhole(join(folder, 'new/er/x.md'), 'x')
    expect(readFileSync(path, 'utf8')).toBe('next\n')
    expect(modeOf(path)).toBe(0o640)
    expect(readdirSync(join(folder, 'deep'))).toEqual(['plan.json'])
    expect(readFileSync(join(folder, 'new/er/x.md'), 'utf8')).toBe('x')
  })

  test('with a mode is never readable by more users, whatever the old file and the umask', async () => {
    const path = file('secret', 'old', 0o666)
    const before = process.umask(0)
    await writeWhole(path, 'new', 0o600).finally(() => process.umask(before))
    expect(modeOf(path)).toBe(0o600)
  })

  test('that fails names the intended file, not the temporary one', async () => {
    mkdirSync(join(folder, 'other'))
    await expect(writeWhole(join(folder, 'other'), 'x')).rejects.toMatchObject({ path: join(folder, 'other') })
    rmdirSync(join(folder, 'other'))
  })

  test('that fails leaves the old text and no temporary file', async () => {
    mkdirSync(join(folder, 'taken'))
    writeFileSync(join(folder, 'taken/inside'), 'x')
    await expect(writeWhole(join(folder, 'taken'), 'x')).rejects.toThrow(/./)
    expect(readdirSync(folder)).toEqual(['taken'])
  })
})

describe('a secret by reference', () => {
  const around = (env: Record<string, string | undefined> = {}) => ({ folder, env, seconds: 1 })

  test('comes from the environment, a file beside the project, or a command, without its line end', async () => {
    file('key', 'from file\r\n')
    expect(await resolveSecret({ env: 'KEY' }, 'the key', around({ KEY: 'from env' }))).toBe('from env')
    expect(await resolveSecret({ file: 'key' }, 'the key', around())).toBe('from file')
    const command = [
      node,
      '-e',
      'console.log(process.cwd() === require("fs").realpathSync(process.argv[1]), process.env.GIVEN)',
      folder,
    ]
    expect(await resolveSecret({ command }, 'the key', around({ GIVEN: 'yes' }))).toBe('true yes')
  })

  test.each([
    ['an unset variable', { env: 'NONE' }, /the key of us: environment variable NONE is not set/],
    ['an empty variable', { env: 'EMPTY' }, /environment variable EMPTY is empty/],
    ['a missing file', { file: 'none' }, /file none cannot be read \(ENOENT\)/],
    [
      'a program that is not there',
      { command: ['no-such-program', 'topsecret'] },
      /command no-such-program cannot be started \(ENOENT\)/,
    ],
    [
      'a failing program',
      { command: [node, '-e', 'console.log("topsecret");console.error("topsecret");process.exit(3)'] },
      /ended with 3/,
    ],
    ['a silent program', { command: [node, '-e', ''] }, /is empty/],
    ['a program without end', { command: [node, '-e', 'setTimeout(() => {}, 60000)'] }, /took longer than 1 s/],
    [
      'a flood',
      { command: [node, '-e', 'for (;;) process.stdout.write("topsecret".repeat(10000))'] },
      /more than 64 kB/,
    ],
  ])('says what is wrong with %s, and nothing more', async (_, ref, message) => {
    const refusal = await resolveSecret(ref, 'the key of us', around({ EMPTY: '' })).then(
      () => undefined,
      (error: unknown) => error,
    )
    expect(refusal).toMatchObject({
      name: 'CommandError',
      code: 'secret_missing',
      message: expect.stringMatching(message) as string,
    })
    expect(JSON.stringify(refusal) + String(refusal)).not.toContain('topsecret')
  })
})

describe('a signing secret', () => {
  const sink = () => openSecretSink({ folder, env: {}, seconds: 5 })

  test('is written to its own file, readable only by its owner', async () => {
    await sink().write({ file: 'secrets/hook' }, 'whsec_1')
    expect(readFileSync(join(folder, 'secrets/hook'), 'utf8')).toBe('whsec_1\n')
    expect(modeOf(join(folder, 'secrets/hook'))).toBe(0o600)
  })

  test('becomes one variable of an env file; the other lines stay', async () => {
    const path = file('.env', '# keys\nOTHER=1\nexport HOOK=old # note\nHOOKS=2\nHOOK=older', 0o644)
    await sink().write({ env_file: '.env', name: 'HOOK' }, 'whsec_a/b+c=')
    expect(readFileSync(path, 'utf8')).toBe('# keys\nOTHER=1\nHOOK=whsec_a/b+c=\nHOOKS=2\n')
    expect(modeOf(path)).toBe(0o600)
    await sink().write({ env_file: '.env', name: 'NEW' }, 'with space')
    expect(readFileSync(path, 'utf8')).toBe('# keys\nOTHER=1\nHOOK=whsec_a/b+c=\nHOOKS=2\nNEW="with space"\n')
    await sink().write({ env_file: 'fresh.env', name: 'NEW' }, 'x')
    expect(readFileSync(join(folder, 'fresh.env'), 'utf8')).toBe('NEW=x\n')
  })

  test('is given to a command on its standard input, never as an argument', async () => {
    const script =
      'let s="";process.stdin.on("data",d=>s+=d).on("end",()=>require("fs").writeFileSync("got",s+" "+process.argv.length))'
    await sink().write({ command: [node, '-e', script] }, 'whsec_1')
    expect(readFileSync(join(folder, 'got'), 'utf8')).toBe('whsec_1 1')
  })

  const names = Array.from({ length: 12 }, (_none, at) => `HOOK_${at}`)

  test('is not lost when others are stored in the same env file at the same time', async () => {
    const path = file('.env', 'OTHER=1\nHOOK_0=old\n', 0o644)
    const own = sink()
    await Promise.all([
      ...names.map((name) => own.write({ env_file: '.env', name }, `whsec_${name}`)),
      own.keepPrevious?.({ env_file: './.env', name: 'OTHER' }),
    ])
    const lines = readFileSync(path, 'utf8').trim().split('\n')
    expect(lines.toSorted()).toEqual(
      ['OTHER=1', 'OTHER_PREVIOUS=1', ...names.map((name) => `${name}=whsec_${name}`)].toSorted(),
    )
    expect(readdirSync(folder)).toEqual(['.env'])
  })

  test('is not lost when another process stores one in the same env file', async () => {
    const module = JSON.stringify(new URL('../../src/files/secret-sink.ts', import.meta.url).href)
    const storing = (own: readonly string[]): Promise<unknown> =>
      promisify(execFile)(process.execPath, [
        '--input-type=module',
        '-e',
        `const { openSecretSink } = await import(${module})
         const sink = openSecretSink({ folder: ${JSON.stringify(folder)}, env: {} })
         for (const name of ${JSON.stringify(own)}) await sink.write({ env_file: '.env', name }, 'x')`,
      ])
    await Promise.all([storing(names.slice(0, 4)), storing(names.slice(4, 8)), storing(names.slice(8))])
    expect(readFileSync(join(folder, '.env'), 'utf8').trim().split('\n').toSorted()).toEqual(
      names.map((name) => `${name}=x`).toSorted(),
    )
  })

  test('is not lost when several commands add to one file', async () => {
    const script = `const fs = require('fs'); const before = fs.existsSync('all') ? fs.readFileSync('all', 'utf8') : ''
      setTimeout(() => fs.writeFileSync('all', before + fs.readFileSync(0, 'utf8') + '\\n'), 30)`
    const own = sink()
    await Promise.all(names.slice(0, 4).map((name) => own.write({ command: [node, '-e', script, name] }, name)))
    expect(readFileSync(join(folder, 'all'), 'utf8').trim().split('\n')).toEqual(names.slice(0, 4))
  })

  test('is stored although a process that was killed left its lock behind', async () => {
    const lock = file('..env.lock', '')
    utimesSync(lock, 1, 1)
    await sink().write({ env_file: '.env', name: 'HOOK' }, 'x')
    expect(readFileSync(join(folder, '.env'), 'utf8')).toBe('HOOK=x\n')
    expect(readdirSync(folder)).toEqual(['.env'])
  })

  test('goes through a link to the file that it names', async () => {
    const path = file('real.env', 'A=1\n')
    symlinkSync('real.env', join(folder, '.env'))
    await sink().write({ env_file: '.env', name: 'HOOK' }, 'x')
    expect(readFileSync(path, 'utf8')).toBe('A=1\nHOOK=x\n')
  })

  test('that cannot be stored is reported at once, with the fix', async () => {
    file('in-the-way', 'x')
    for (const where of [{ file: 'in-the-way/hook' }, { command: [node, '-e', 'process.exit(1)'] }])
      await expect(sink().write(where, 'whsec_topsecret')).rejects.toMatchObject({
        code: 'secret_not_kept',
        message: expect.not.stringContaining('topsecret') as string,
        fix: expect.stringContaining('replace the endpoint') as string,
      })
    await expect(sink().write({ nowhere: true }, 'x')).rejects.toThrow(/not a sink/)
  })
})
