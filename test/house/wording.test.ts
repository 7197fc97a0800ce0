import { readFileSync, readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'
import { root, sourcesBelow } from './sources.ts'

interface Rule {
  readonly name: string
  readonly pattern: RegExp
  /** Files that may contain it. */
  readonly except?: (path: string) => boolean
  /** A line that the rule must find, which proves that it works. */
  readonly seeded: string
}

const isEdge = (path: string): boolean => /^src\/(stripe|kajabi|store|files|server|alerts|cli|bin)\//.test(path)

/**
 * Statuses that only subscriptions have. Other objects also use `active` and `paused`.
 */
const own = 'trialing|past_due|unpaid|canceled|incomplete|incomplete_expired'

const codeRules: readonly Rule[] = [
  {
    name: 'comparisons of a subscription status outside src/live/subscription.ts',
    pattern: new RegExp(
      `(===|!==) *'(${own})'|'(${own})' *(===|!==)|(Set|includes)[^;]*'(${own})'|case '(${own})'|` +
        `(subscription|old|one|answer|successor|row)\\.(raw\\.)?status *(===|!==) *'(active|paused)'`,
    ),
    except: (path) =>
      !path.startsWith('src/') ||
      path.startsWith('src/sandbox/') ||
      path === 'src/live/subscription.ts' ||
      // The expectation of a recipe is written by the recipe itself.
      path === 'src/handover/preview.ts',
    seeded: "if (subscription.status === 'past_due')",
  },
  {
    name: 'HTML that is put together or escaped outside the template of src/core/html.ts',
    pattern: /(^|[^l])`[^`]*<[a-z][^`]*\$\{|['"`]<\/?[a-z][^'"`]*>['"`] *\+|\+ *['"`]<\/?[a-z]|&(amp|lt|quot|#39);/,
    except: (path) =>
      !path.startsWith('src/') ||
      path.startsWith('src/sandbox/') ||
      // Markdown, whose own rules of escaping are in markdown-table.ts.
      path.startsWith('src/cli/render/') ||
      // The markup of Slack, which escapes three signs.
      path === 'src/alerts/channels.ts' ||
      path === 'src/core/html.ts',
    seeded: 'return `<p>${escape(text)}</p>`',
  },
  {
    name: 'schemas whose type nothing compares with their form',
    pattern: /\bType\.Unsafe\b/,
    // The words of which all other schemas are made.
    except: (path) => !path.startsWith('src/') || ['src/core/exact-schema.ts', 'src/kinds/schema.ts'].includes(path),
    seeded: "Type.Unsafe<Key>({ type: 'string' })",
  },
  {
    name: 'values of JSON that are read without the words of src/core/json.ts',
    pattern: /isJsonObject\(([^()]+)\) \? \1 : \{\}|typeof (\S+) === 'string' \? \2 : ''/,
    except: (path) => !path.startsWith('src/') || path.startsWith('src/sandbox/') || path === 'src/core/json.ts',
    seeded: 'const marks = isJsonObject(metadata) ? metadata : {}',
  },
  {
    name: 'casts to every type',
    pattern: /\bas (never|any)\b/,
    except: (path) => !path.startsWith('src/') || path.startsWith('src/sandbox/'),
    seeded: 'formatInstant(at as never)',
  },
  {
    // `writeOutput` replaces only what the same command wrote.
    name: 'files that a command writes over whatever is there',
    pattern: /\b(writeWhole|writeFile|writeFileSync|createWriteStream|copyFile)\(/,
    except: (path) =>
      !path.startsWith('src/') ||
      path.startsWith('src/files/') ||
      // They edit the catalog's own files, and keep what people wrote in them.
      path === 'src/cli/commands/pull.ts' ||
      path === 'src/cli/commands/waves.ts' ||
      path === 'src/cli/commands/init.ts' ||
      // It works in the folder that it made.
      path === 'src/cli/demo/school.ts',
    seeded: 'await writeWhole(path, text)',
  },
  { name: 'unfinished work', pattern: /\b(TODO|FIXME|XXX|HACK)\b/, seeded: '// TODO: later' },
  {
    name: 'silenced checks',
    pattern: /@ts-(ignore|nocheck|expect-error)|(oxlint|eslint)-disable/,
    seeded: '// @ts-ignore',
  },
  {
    name: 'default exports',
    pattern: /^export default\b/m,
    except: (path) => path.endsWith('.config.ts'),
    seeded: 'export default x',
  },
  { name: 'enums', pattern: /^\s*(export )?(const )?enum\b/m, seeded: 'export enum A {}' },
  {
    name: 'the time of this machine below the edges',
    pattern: /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(/,
    except: (path) => isEdge(path) || !path.startsWith('src/'),
    seeded: 'const now = Date.now()',
  },
  {
    name: 'the environment below the edges',
    pattern: /\bprocess\.(env|argv|stdout|stderr|exit)\b/,
    except: (path) => isEdge(path) || !path.startsWith('src/') || path === 'src/sandbox/server.ts',
    seeded: 'process.env.KEY',
  },
  {
    name: 'printing outside the command line',
    pattern: /\bconsole\.\w+\(/,
    except: (path) => path.startsWith('src/bin/') || !path.startsWith('src/'),
    seeded: 'console.log(1)',
  },
]

// Split, so that this file does not contain the words.
const proseRules: readonly Rule[] = [
  {
    name: 'paths of a machine',
    pattern: new RegExp(['/wo', 'rk/|/ro', 'ot/|/ho', 'me/[a-z]'].join('')),
    seeded: ['see /wo', 'rk/main'].join(''),
  },
  { name: 'numbers of issues', pattern: /\bissue #?\d+/i, seeded: ['issue ', '2'].join('') },
  {
    name: 'how the text came to be',
    pattern: new RegExp(['\\b(AI|LL', 'M|GP', 'T|Clau', 'de|Anthro', 'pic|co-?pi', 'lot)\\b'].join('')),
    seeded: ['an L', 'LM'].join(''),
  },
  {
    name: 'markers of a merge conflict',
    pattern: /^(<{7}|>{7}) |^={7}$/,
    seeded: `${'<'.repeat(7)} HEAD`,
  },
  {
    name: 'registries',
    pattern: new RegExp(['registry\\.np', 'mjs|arti', 'factory'].join('')),
    seeded: ['registry.np', 'mjs.org'].join(''),
  },
]

const vagueNames = /(^|[-/])(utils?|helpers?|managers?|misc|common|stuff)(\.|-|\/|$)/

describe('house rules of wording', () => {
  const code = [...sourcesBelow('src'), ...sourcesBelow('test')].filter(
    (source) => !source.path.startsWith('test/house/'),
  )
  const prose = [...code, ...documents()]

  test('the check finds the existing files', () => {
    expect(code.length).toBeGreaterThan(40)
    expect(prose.some((source) => source.path.endsWith('.md'))).toBe(true)
  })

  test.each(codeRules)('code is free of $name', (rule) => {
    expect(rule.seeded).toMatch(rule.pattern)
    expect(found(code, rule)).toEqual([])
  })

  test.each(proseRules)('code and documents are free of $name', (rule) => {
    expect(rule.seeded).toMatch(rule.pattern)
    expect(found(prose, rule)).toEqual([])
  })

  test('file names say what the files contain', () => {
    expect('src/plan/helpers.ts').toMatch(vagueNames)
    expect(code.map((source) => source.path).filter((path) => vagueNames.test(path))).toEqual([])
  })

  test('sentences avoid words that make a stranger read twice', () => {
    expect(
      found(unwrapped([{ path: 'src/a.ts', text: '// Whoever it is, time goes\n// on.' }]), oddWords),
    ).toHaveLength(1)
    expect(found(unwrapped([{ path: 'src/a.ts', text: '// Time goes\n// on.' }]), oddWords)).toHaveLength(1)
    const read = prose.filter(({ path }) => /^(src|catalog)\//.test(path) || /^(docs\/[a-z-]+|README)\.md$/.test(path))
    expect(found(unwrapped(read), oddWords)).toEqual([])
  })

  test(`comment lines end at column ${commentColumns}`, () => {
    const seeded = [
      `// ${'word '.repeat(26)}`,
      ` * ${'word '.repeat(26)}`,
      '// short',
      `const x = '${'x'.repeat(130)}'`,
    ]
    expect(longComments([{ path: 'src/core/a.ts', text: seeded.join('\n') }])).toEqual([
      'src/core/a.ts:1',
      'src/core/a.ts:2',
    ])
    expect(longComments([{ path: 'catalog/a.yaml', text: `  # ${'word '.repeat(26)}` }])).toEqual(['catalog/a.yaml:1'])
    expect(longComments(commented())).toEqual([])
  })

  test('casts around the types are counted outside the sandbox and the edge that reads Stripe', () => {
    const outside = code.filter(
      ({ path }) => path.startsWith('src/') && !path.startsWith('src/sandbox/') && !path.startsWith('src/engine/read/'),
    )
    expect(found(outside, { name: 'casts', pattern: /as unknown as/, seeded: '' })).toHaveLength(castsAllowed)
  })

  test('no file is longer than 400 lines (600 for tests: tables of cases)', () => {
    const long = code.filter((source) => source.text.split('\n').length > (source.path.startsWith('test/') ? 600 : 400))
    expect(long.map((source) => source.path)).toEqual([])
  })
})

/** Number of `as unknown as` that there are. It may only fall. */
const castsAllowed = 6

/** The key `mended` of `inbox reconcile --format json` is part of the contract. */
const oddWords: Rule = {
  name: 'words that a stranger reads twice',
  pattern:
    /\b(whoever|somebody|anybody|anew|mends?|mended(?!: \{)|is told|are told|is none|goes on|lets go|all the same|of ours)\b/i,
  seeded: 'whoever',
}

/** Comment lines longer than this are hard to read beside the code. */
const commentColumns = 100

function longComments(files: readonly { path: string; text: string }[]): string[] {
  return files.flatMap(({ path, text }) => {
    const comment = /\.ya?ml$/.test(path) ? /^\s*#/ : /^\s*(\/\/|\/?\*)/
    return text
      .split('\n')
      .flatMap((line, at) => (comment.test(line) && line.length > commentColumns ? [`${path}:${at + 1}`] : []))
  })
}

/** Every file of the repository that has comments. */
function commented(): { path: string; text: string }[] {
  const settings = readdirSync(root).filter((name) => /^\.\w+\.json$/.test(name))
  return [
    ...['src', 'test', '.ci', '.node'].flatMap(sourcesBelow),
    ...documents().filter(({ path }) => /\.ya?ml$/.test(path)),
    ...settings.map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') })),
  ]
}

/** Lines that a comment or document breaks between two words are joined. */
function unwrapped(files: readonly { path: string; text: string }[]): { path: string; text: string }[] {
  return files.map(({ path, text }) => ({
    path,
    text: text.replaceAll(/(\b[a-z]+)\n\s*(?:\*|\/\/|#)? *(?=[a-z]+\b)/g, '$1 '),
  }))
}

function found(files: readonly { path: string; text: string }[], { pattern, except }: Rule): string[] {
  return files
    .filter((file) => except?.(file.path) !== true)
    .flatMap((file) =>
      file.text
        .split('\n')
        .flatMap((line, index) => (pattern.test(line) ? [`${file.path}:${index + 1}: ${line.trim()}`] : [])),
    )
}

function documents(): { path: string; text: string }[] {
  const below = (folder: string): string[] =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.(md|ya?ml|csv|txt)$/.test(entry.name))
      .map((entry) => relative(root, join(entry.parentPath, entry.name)))
  const top = readdirSync(root).filter((name) => name.endsWith('.md'))
  const folders = readdirSync(root).filter((name) => ['docs', 'catalog', 'plans'].includes(name))
  return [...top, ...folders.flatMap(below)].map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
}
