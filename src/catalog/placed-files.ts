import { addAll } from '../core/lists.ts'
import type { Diagnostic } from '../core/diagnostic.ts'
import { unknownFile } from './file-findings.ts'
import { type FilePlace, placeOf } from './file-kinds.ts'
import { readYaml, type YamlReading } from './yaml-file.ts'

interface WrittenFile {
  readonly path: string
  readonly text: string
}

interface PlacedFile {
  readonly path: string
  readonly place: FilePlace
  readonly reading: YamlReading
}

/**
 * The files that have a place in a catalog, in order of path; an empty file is an empty map. Adds
 * the findings about unknown and unreadable files.
 */
export function* placedFiles(files: readonly WrittenFile[], findings: Diagnostic[]): Generator<PlacedFile> {
  for (const { path, text } of [...files].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))) {
    const place = placeOf(path)
    if (place === undefined) {
      findings.push(unknownFile(path))
      continue
    }
    const reading = readYaml(path, text)
    if (!('file' in reading)) addAll(findings, reading.findings)
    const isEmpty = 'file' in reading && reading.file.value === null
    yield { path, place, reading: isEmpty ? { file: { ...reading.file, value: {} } } : reading }
  }
}
