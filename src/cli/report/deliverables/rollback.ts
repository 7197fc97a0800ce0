import { waveName } from '../rehearsal-words.ts'
import type { Document, Section } from '../document.ts'
import { placesOf, wavesOf, type Evidence, type Place, type Wave } from '../evidence.ts'
import { code } from './words.ts'

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
          heads: ['wave', 'can go back', 'settled, can no longer'],
          rows: waves.map(({ file, people }) => [waveName(file), String(people.moved), String(people.settled)]),
        },
      },
      {
        heading: 'What a member notices',
        text: 'Nothing. The old account bills them again, at the same hour, the same amount and with the same card. A charge that the new account made stays there; it is not made again. The next invoice comes from the old account.',
      },
      {
        heading: 'Until when',
        text: 'Until the wave is settled, with `stage: settled` in its file and an apply. A subscriber who cancelled, changed the plan or paid something in the new account meanwhile may not be able to go back; the plan names each with the reason before anything is done.',
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
    .map(({ key }) => [code(key), goesBack[places.get(key) ?? 'source']])
  return {
    heading: `Members of ${waveName(file)} (${rows.length})`,
    table: { heads: ['subscriber', 'can go back'], rows },
  }
}

const goesBack: Readonly<Record<Place, string>> = {
  moved: 'yes, until settled',
  settled: 'no, settled',
  source: 'has not moved',
  ended: 'has ended or ends',
}
