import { waveName } from '../rehearsal-words.ts'
import type { Document, Section } from '../document.ts'
import { placesOf, wavesOf, type Evidence, type Place, type Wave } from '../evidence.ts'
import { fine } from '../said.ts'
import { shortDigest } from '../../render/words.ts'
import type { PersonDates } from '../../../engine/plan/person-dates.ts'
import { code, day, span } from './words.ts'

/** For each wave: who can go back and who no longer can, until when, and the commands. */
export function rollback(evidence: Evidence): Document {
  const waves = wavesOf(evidence).filter(({ people }) => people.moved + people.settled > 0)
  return {
    slug: 'rollback',
    title: 'Rollback plan',
    intro:
      'Until a subscriber is settled, the old subscription is on hold, and the move can be undone. Undoing is a plan and can be reviewed like every plan.',
    sections: [
      {
        heading: 'Who can go back today',
        table: {
          heads: ['wave', 'moved, can go back', 'moved, cannot as it is', 'settled, can no longer', 'settled on'],
          rows: waves.map(({ file, people, settled }) => {
            const stuck = stuckIn(file, evidence)
            return [waveName(file), String(people.moved - stuck), String(stuck), String(people.settled), span(settled)]
          }),
        },
      },
      {
        heading: 'What a member notices',
        text: 'Nothing. The old account bills them again, at the same hour, the same amount and with the same card. A charge that the new account made stays there; it is not made again. The next invoice comes from the old account.',
      },
      {
        heading: 'Until when',
        text: 'Until the member is settled, with `stage: settled` in the file and an apply: no date ends the time by itself. The tables below say for each member from when a settle is possible, and when it was done. A subscriber who cancelled, changed the plan or paid something in the new account meanwhile may not be able to go back; the plan names each with the reason before anything is done.',
      },
      {
        heading: 'After a settle',
        text: 'The old subscription is cancelled for good, and no command brings it back. The new account continues to bill the member. To return to the old account, make a new subscription there by hand, with the next charge on the date that the new one shows, and then cancel the new one.',
      },
      ...waves.flatMap((wave) => [...commands(wave), names(wave, evidence)]),
    ],
  }
}

function commands({ file, people }: Wave): Section[] {
  if (people.moved === 0) return []
  const name = waveName(file)
  const plan = `plans/back-${name.replaceAll('/', '-')}.plan.json`
  return [
    {
      heading: `Back with ${name}`,
      steps: [
        code(`perl -pi -e 's/stage: target/stage: source/' catalog/${file}`),
        `${code(`crossbill plan --out ${plan}`)}: it lists those who can no longer go back, with the reason. Review it.`,
        code(`crossbill apply ${plan}`),
        '`crossbill verify` must find no violation.',
      ],
    },
  ]
}

/** Every member of a wave that has begun, with whether they can go back. */
function names({ file }: Wave, evidence: Evidence): Section {
  const places = placesOf(evidence)
  const rows = evidence.catalog.subscribers
    .filter((one) => one.file === file)
    .map(({ key }) => {
      const place = places.get(key) ?? 'source'
      const { moved, renewal, settled, back, settle, plan } = evidence.dates.get(key) ?? {}
      return [
        code(key),
        moved === undefined ? '–' : day(moved),
        renewal === undefined ? '–' : day(renewal),
        place === 'moved' && back !== undefined ? backWords(back) : goesBack[place],
        place === 'moved' && settle !== undefined ? settleWords(settle) : settled === undefined ? '–' : day(settled),
        plan === undefined ? '–' : code(shortDigest(plan)),
      ]
    })
  return {
    text: 'The new subscription of each is in [old and new ids](mapping). Days are in UTC.',
    heading: `Members of ${waveName(file)} (${rows.length})`,
    table: {
      heads: ['subscriber', 'moved', 'first renewal there', 'can go back', 'settled', 'last plan'],
      rows,
    },
  }
}

function backWords(back: NonNullable<PersonDates['back']>): string {
  if (back.possible === 'now') return 'yes, until settled'
  return back.possible === 'later' ? `from ${day(back.from)}: ${fine(back.code)}` : `not as it is: ${fine(back.code)}`
}

function settleWords(settle: NonNullable<PersonDates['settle']>): string {
  if (settle.possible === 'now') return 'no; possible now'
  return settle.possible === 'later'
    ? `no; possible from ${day(settle.from)} at the latest`
    : `no; not as it is: ${fine(settle.code)}`
}

/** Those who have moved and cannot go back until a person does something. */
function stuckIn(file: string, { catalog, dates }: Evidence): number {
  return catalog.subscribers.filter((one) => one.file === file && dates.get(one.key)?.back?.possible === 'no').length
}

const goesBack: Readonly<Record<Place, string>> = {
  moved: 'yes, until settled',
  settled: 'no, settled',
  source: 'has not moved',
  ended: 'has ended or ends',
}
