import { firstFew, plural, when } from '../../render/words.ts'
import type { Document } from '../document.ts'
import type { Since } from '../since.ts'
import { code } from './words.ts'

const namedAtMost = 50

/** What is different since an earlier report, in numbers and by name. */
export function sincePage({ at, rows, changed }: Since): Document {
  const people = changed.reduce((sum, { subscribers }) => sum + subscribers.length, 0)
  return {
    slug: 'since',
    title: `Since ${when(at)}`,
    name: 'Since the report before',
    intro: `Compared with the report of ${when(at)}. ${plural(people, 'person is', 'people are')} elsewhere on the way than then.`,
    sections: [
      { heading: 'Numbers', table: { heads: ['what', 'then', 'now'], rows } },
      {
        heading: `People (${people})`,
        table: {
          heads: ['from', 'to', 'people', 'who'],
          rows: changed.map(({ from, to, subscribers }) => {
            const { shown, more } = firstFew(subscribers, namedAtMost)
            const rest = more === 0 ? '' : ` and ${more} more`
            return [from, to, String(subscribers.length), `${shown.map(code).join(' ')}${rest}`]
          }),
        },
      },
    ],
  }
}
