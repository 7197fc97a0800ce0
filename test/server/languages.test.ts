import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { instant } from '../../src/core/instant.ts'
import { askingPage, waitingPage } from '../../src/server/page.ts'
import { day, languages, list, sum, wordsFor, type Words } from '../../src/server/words.ts'
import { root } from '../house/sources.ts'

const said = (words: object): readonly (readonly [string, string])[] =>
  Object.entries(words).flatMap(([name, value]: [string, unknown]): (readonly [string, string])[] => {
    if (name === 'language' || name === 'region') return []
    if (typeof value === 'object' && value !== null)
      return said(value).map(([inner, text]) => [`${name}.${inner}`, text] as const)
    const text: unknown = typeof value === 'function' ? (value as (...more: string[]) => string)('(a)', '(b)') : value
    return [[name, String(text)]]
  })

describe('the languages of the members’ pages', () => {
  test('are the files of their folder: a file missing from the list is found here', () => {
    const files = readdirSync(join(root, 'src/server/languages')).filter((name) => name !== 'words.ts')
    expect(languages.map(({ language }) => `${language}.ts`).toSorted()).toEqual(files.toSorted())
  })

  test.each(languages.map((words) => [words.language, words] as const))('%s translates every text', (_, words) => {
    const [english] = languages
    if (english === undefined) throw new Error('no language')
    const theirs = new Map(said(english))
    const parts = (text = ''): readonly boolean[] => ['(a)', '(b)'].map((part) => text.includes(part))
    const wrong = said(words).filter(([name, text]) => {
      const untold = text.trim() === '' || (words !== english && text === theirs.get(name))
      // The inserted values are in the translated text.
      return untold || parts(text).join() !== parts(theirs.get(name)).join()
    })
    expect(wrong).toEqual([])
    expect(Intl.DateTimeFormat.supportedLocalesOf(words.region ?? words.language)).toHaveLength(1)
  })

  test('a new one needs only its table: days, amounts, lists and direction follow', () => {
    const english = languages[0] as Words
    const hebrew: Words = { ...english, language: 'he', title: 'ביטול המינוי' }
    delete (hebrew as { region?: string }).region
    const words = wordsFor('he-IL, en;q=0.5', [...languages, hebrew])
    const at = instant(Date.UTC(2026, 11, 31) / 1_000)
    const reader = { words, school: {} }
    const ending = { state: 'live', products: ['A', 'B'], endsAt: at, nextPayment: at } as const
    expect(askingPage(reader, { ...ending, nextAmount: { amount: 4_660, currency: 'ils' } }, false)).toContain(
      '<html lang="he" dir="rtl">',
    )
    expect(waitingPage(reader, './x')).toContain('dir="rtl"')
    expect(day(at, words)).toBe('31 בדצמבר 2026')
    expect(list(['A', 'B'], words)).toBe('A ו-B')
    expect(sum({ amount: 4_660, currency: 'ils' }, words)).toContain('46.60')
  })
})
