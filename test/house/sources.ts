import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))

export interface Source {
  /** Relative to the repository: `src/core/json.ts`. */
  readonly path: string
  readonly text: string
  /**
   * The files of this repository that it imports, relative to the repository, without packages.
   */
  readonly imports: readonly string[]
}

/** Every TypeScript and JavaScript file below a folder. */
export function sourcesBelow(folder: string): readonly Source[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|js)$/.test(entry.name))
    .map((entry) => {
      const path = relative(root, join(entry.parentPath, entry.name))
      const text = readFileSync(join(root, path), 'utf8')
      return { path, text, imports: importsOf(path, text) }
    })
    .sort((a, b) => (a.path < b.path ? -1 : 1))
}

const importForms = [
  /\bfrom\s*(['"])([^'"]+)\1/g,
  /\bimport\s*(['"])([^'"]+)\1/g,
  /\bimport\(\s*(['"])([^'"]+)\1\s*[,)]/g,
  /\bnew URL\(\s*(['"])([^'"]+\.[jt]s)\1\s*,/g,
]

export function importsOf(path: string, text: string): string[] {
  return importForms
    .flatMap((form) => [...text.matchAll(form)].map((match) => match[2] ?? ''))
    .filter((name) => name.startsWith('.'))
    .map((name) => normalize(join(dirname(path), name)))
}

/**
 * A computed path cannot be checked. Only the program's start computes one: that of the built
 * program, if there is one.
 */
const startsProgram = 'src/bin/crossbill.js'

const hidingForms = [
  /\b(?:from|import)\s*\/[*/]/g,
  /\bimport\((?!\s*(['"])[^'"]*\1\s*[,)])/g,
  /\bimport\.meta\.resolve\b/g,
  /\bcreateRequire\b/g,
  /(?<![.\w])require\((?!\s*['"]node:)/g,
  /\bgetBuiltinModule\b/g,
  /\bnew URL\((?!\s*(['"])[^'"]*\1\s*,)[^)]*import\.meta/g,
]

/** Imports whose path is known only at run time. */
export function hiddenImports(path: string, text: string): string[] {
  if (path === startsProgram) return []
  return hidingForms.flatMap((form) =>
    [...text.matchAll(form)].map(
      ({ 0: found, index }) => `${path}:${text.slice(0, index).split('\n').length}: ${found}`,
    ),
  )
}
