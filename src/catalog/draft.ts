import type { Diagnostic, Position } from '../core/diagnostic.ts'
import type { Kind } from '../kinds/kind.ts'
import type { Access } from './schemas/access.ts'
import type { DeclaredExternal, DesiredResource, DesiredSubscriber, Project, Removal } from './types.ts'
import type { Path, YamlFile } from './yaml-places.ts'

/** An entry of a section, with its kind and its file. */
export interface DraftResource extends DesiredResource {
  readonly of: Kind
  readonly file: YamlFile
}

/** An address under `removed:`. */
export interface DraftRemoval {
  readonly address: string
  readonly what: Removal
  readonly file: YamlFile
  /** Place of the line in its file. */
  readonly path: Path
}

/** A line of `moved:`. */
export interface DraftMove {
  readonly from: string
  readonly to: string
  readonly file: YamlFile
}

/** One line of a mappings file. */
export interface DraftMapping {
  readonly source: string
  readonly section: string
  readonly id: string
  readonly key: string
  readonly file: YamlFile
}

/**
 * Everything that the files declare. Each file is valid by itself; the rules across files have not
 * run yet.
 */
export interface Draft {
  readonly project: Project | undefined
  readonly projectFile: YamlFile | undefined
  readonly resources: readonly DraftResource[]
  readonly removed: readonly DraftRemoval[]
  readonly moved: readonly DraftMove[]
  readonly subscribers: readonly DesiredSubscriber[]
  readonly mappings: readonly DraftMapping[]
  /** The content of access.yaml, valid by its schema; absent without a file that can be used. */
  readonly access: Access | undefined
  readonly externals: readonly (DeclaredExternal & { readonly at: Position })[]
  /**
   * Declared resources that are left out because of an error; empty unless the reader leaves
   * entries out.
   */
  readonly leftOut: readonly { readonly kind: string; readonly key: string }[]
  /** Files by the path in `DesiredSubscriber.file`. */
  readonly files: ReadonlyMap<string, YamlFile>
}

/**
 * A rule checks the whole draft and yields one finding for each violation. It yields lazily,
 * because locating a finding parses its file.
 */
export type Rule = (draft: Draft) => Iterable<Diagnostic>

/** Position of a part of a resource's entry. */
export function placeIn(resource: DraftResource, path: Path = [], part: 'key' | 'value' = 'value'): Position {
  return resource.file.locate([resource.of.section, resource.key, ...path], part)
}

/** Position of a part of a subscriber's entry. */
export function placeOfSubscriber(draft: Draft, subscriber: DesiredSubscriber, path: Path = []): Position {
  return draft.files.get(subscriber.file)?.locate(['subscribers', subscriber.subscription, ...path]) ?? subscriber.at
}
