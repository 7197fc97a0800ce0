import type { Diagnostic } from '../core/diagnostic.ts'
import type { Catalog } from './types.ts'

/** A file under catalog/, by its path relative to it: `subscribers/us/wave-01.yaml`. */
export interface CatalogFile {
  readonly path: string
  readonly text: string
}

export interface LoadedCatalog {
  /** Absent when there is an error among the findings. */
  readonly catalog?: Catalog
  /** Every finding of every file, in the order of files and lines. */
  readonly findings: readonly Diagnostic[]
}

/** Turns what people wrote into a catalog, or says everything that is wrong with it. Pure. */
export function loadCatalog(files: readonly CatalogFile[]): LoadedCatalog {
  return {
    findings: files.map((file) => ({
      severity: 'error',
      rule: 'not-available',
      message: `reading ${file.path} is not available in this version`,
      fix: 'use a later version',
    })),
  }
}
