import { waveName } from '../rehearsal-words.ts'
import { groupBy } from '../../render/words.ts'
import type { Document, Section } from '../document.ts'
import { wavesOf, type Evidence, type Wave } from '../evidence.ts'
import { code } from './words.ts'

/** For each wave: who can go back and who no longer can, until when, and the commands. */
export function rollback(evidence: Evidence): Document {
  const waves = wavesOf(evidence).filter(({ people }) => people.moved + people.settled > 0)
  return {
    slug: 'rollback',
    title: 'Rollback plan',
    intro:
      'Until a subscriber is settled, the old subscription is on hold, and the move can be reverted. A revert is a plan and can be reviewed like every plan.',
    sections: [
      {
        heading: 'Subscribers that can be reverted now',
        table: {
          heads: ['wave', 'can be reverted', 'settled, cannot be reverted'],
          rows: waves.map(({ file, people }) => [code(file), String(people.moved), String(people.settled)]),
        },
      },
      {
        heading: 'What a member notices',
        text: 'Nothing. The old account bills them again, at the same hour, the same amount and with the same card. A charge that the new account made stays there; it is not made again. The invoice comes from the old account again.',
      },
      {
        heading: 'Until when',
        text: 'Until the wave is settled. A subscriber who cancelled, changed the plan or paid something in the new account meanwhile may not be revertible; the plan names each with the reason before anything is done.',
      },
      ...waves.filter(({ people }) => people.moved > 0).map(commands),
      {
        heading: 'Phases in the store',
        table: {
          heads: ['phase', 'people'],
          rows: [...groupBy([...evidence.phases.values()], (phase) => phase)].map(([phase, all]) => [
            phase,
            String(all.length),
          ]),
        },
      },
      {
        heading: 'How to revert a wave',
        steps: [
          'In the wave file, change `stage: target` to `stage: source`.',
          'Run `crossbill plan --out plans/back.plan.json`. The plan lists the subscribers that can no longer be reverted, with the reason.',
          'Review the plan, then run `crossbill apply plans/back.plan.json`.',
          'Run `crossbill verify`. It must find no violation.',
        ],
      },
    ],
  }
}

function commands({ file }: Wave): Section {
  const name = waveName(file)
  const plan = `plans/back-${name.replaceAll('/', '-')}.plan.json`
  return {
    heading: `Back with ${name}`,
    steps: [
      code(`perl -pi -e 's/stage: target/stage: source/' catalog/${file}`),
      code(`crossbill plan --out ${plan}`),
      code(`crossbill apply ${plan}`),
      '`crossbill verify`',
    ],
  }
}
