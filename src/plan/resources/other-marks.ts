import { markAddress, markProject } from '../../live/marks.ts'
import { markOf } from './live-index.ts'
import type { Verdict } from './judged.ts'
import type { OtherMarks, ResourcesInput } from './types.ts'

/**
 * Objects at the catalog's addresses that carry the mark of another project. A project whose name
 * changed in project.yaml meets its own objects in this way: it would mark those that the store
 * knows with the new name, and create the others again.
 */
export function otherMarks(verdicts: readonly Verdict[], { live, project }: ResourcesInput): OtherMarks {
  const projects = new Set<string>()
  const remarked: string[] = []
  const again: string[] = []
  for (const { kind, identity, takes, resource } of verdicts) {
    if (identity.is === 'ours' && takes !== 'nothing' && takes !== 'blocked') {
      const owner = markOf(identity.live, markProject)
      if (owner === undefined || owner === project) continue
      projects.add(owner)
      remarked.push(resource.address)
    }
    if (takes !== 'create') continue
    const marked = (live.get(kind.name) ?? []).find(
      (one) => markOf(one, markAddress) === resource.address && !kind.retired(one),
    )
    const owner = marked === undefined ? undefined : markOf(marked, markProject)
    if (owner === undefined || owner === project) continue
    projects.add(owner)
    again.push(resource.address)
  }
  return { projects: [...projects].toSorted(), remarked, again }
}
