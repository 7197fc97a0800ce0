import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { expect, test } from 'vitest'
import { root } from '../house/sources.ts'

/** Every file below docs/, and the README. */
const files = [
  'README.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .map((name) => join('docs', name))
    .filter((path) => statSync(join(root, path)).isFile()),
]

interface Link {
  readonly to: string
  readonly anchor: string
}

/** Links of a page to other files of the repository, and to places in a page. */
function links(path: string): readonly Link[] {
  const text = readFileSync(join(root, path), 'utf8').replaceAll(/```[\s\S]*?```|`[^`\n]*`/g, '')
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !/^[a-z]+:/.test(link))
    .map((link) => {
      const [file = '', anchor = ''] = link.split('#')
      return { to: file === '' ? path : relative(root, join(root, dirname(path), file)), anchor }
    })
}

/** The anchors that GitHub and GitLab give to the headings of a page. */
function anchors(path: string): ReadonlySet<string> {
  const headings = readFileSync(join(root, path), 'utf8')
    .replaceAll(/```[\s\S]*?```/g, '')
    .matchAll(/^#+ (.*)$/gm)
  return new Set(
    [...headings].map(([, text = '']) =>
      text
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  )
}

const pages = files.filter((path) => path.endsWith('.md'))

test('no link is dead, and every anchor has its heading', () => {
  const dead = pages.flatMap((path) =>
    links(path).flatMap(({ to, anchor }) => {
      if (!existsSync(join(root, to))) return [`${path}: ${to}`]
      if (anchor === '' || !to.endsWith('.md')) return []
      return anchors(to).has(anchor) ? [] : [`${path}: ${to}#${anchor}`]
    }),
  )
  expect(dead).toEqual([])
})

test('the index leads to every document or its folder, and the README leads to the index', () => {
  const index = new Set(links('docs/README.md').map(({ to }) => to))
  const rest = files.filter((path) => path.startsWith('docs/') && path !== 'docs/README.md')
  expect(rest.length).toBeGreaterThan(40)
  expect(rest.filter((path) => !index.has(path) && !index.has(dirname(path)))).toEqual([])
  expect(links('README.md').map(({ to }) => to)).toContain('docs/README.md')
})
