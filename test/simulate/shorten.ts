import type { Happening } from './happenings.ts'
import type { Person } from './people.ts'
import { tell, type Story } from './simulate.ts'

/**
 * Removes events that the failure does not need, one after another, until none can be removed: the
 * shortest story found.
 */
export async function shorten(
  story: Story,
  people: readonly Person[],
  happenings: readonly Happening[],
): Promise<Story> {
  const promise = promiseOf(story)
  let shortest = { story, happenings: [...happenings] }
  for (let at = shortest.happenings.length - 1; at >= 0; at--) {
    const fewer = shortest.happenings.toSpliced(at, 1)
    const shorter = await tell(story.seed, people, fewer, undefined, story.unsure).catch(() => undefined)
    if (shorter !== undefined && promiseOf(shorter) === promise) shortest = { story: shorter, happenings: fewer }
  }
  return shortest.story
}

/** The same promise must be broken; otherwise it is another failure. */
function promiseOf({ broken }: Story): string | undefined {
  return broken?.split(':')[0]
}
