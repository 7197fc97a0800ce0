import { waveName } from '../rehearsal-words.ts'
import type { Document } from '../document.ts'
import { wavesOf, type Evidence } from '../evidence.ts'
import { code } from './words.ts'

/** What to do on the day of a wave, every night, and when something is down. */
export function runbook(evidence: Evidence): Document {
  const next = wavesOf(evidence).find(({ people, excluded }) => people.source > excluded)
  const name = next === undefined ? undefined : waveName(next.file).replaceAll('/', '-')
  const [first] = evidence.catalog.subscribers
  const who = first?.key ?? 'SUBSCRIBER'
  return {
    slug: 'runbook',
    title: 'Runbook',
    intro: `Every command can be pasted in the folder of the project. ${serviceNeed(evidence)}`,
    sections: [
      ...(next === undefined || name === undefined
        ? []
        : [
            {
              heading: `The day of the next wave: ${waveName(next.file)}`,
              text: 'The billing engineer types; the owner reads the plan.',
              steps: [
                '`crossbill pull` and `crossbill doctor`: what changed since yesterday?',
                code(`perl -pi -e 's/stage: source/stage: target/' catalog/${next.file}`),
                `${code(`crossbill plan --out plans/${name}.plan.json`)}: read money and people, and who is left out.`,
                code(`crossbill apply plans/${name}.plan.json`),
                '`crossbill verify` must find no violation. If it does, see [rollback](rollback).',
                '`crossbill report` for the record.',
              ],
            },
          ]),
      {
        heading: 'Every night',
        steps: [
          '`crossbill verify`: exactly one payer for each subscriber. Exit code 2 means: look now.',
          '`crossbill drift`: what others changed.',
          '`crossbill inbox list --state dead`: cancels that wait for a person.',
        ],
      },
      {
        heading: 'When a run stops in the middle',
        steps: [
          'Run the same `crossbill apply` again. It finishes or undoes what it finds, and charges nobody twice.',
          'If it says that another run holds the work and that run is dead: `crossbill state unlock`.',
          'If the machine is lost: `crossbill state rebuild` on another one reads everything from the accounts.',
        ],
      },
      {
        heading: 'Cancel a member by hand',
        text: 'When the service is down, or a member writes to support.',
        steps: [
          `${code(`crossbill cancel ${who}`)}, with the old id, the new id, the customer or the address of the member.`,
          'Without Crossbill: cancel in the Dashboard of the **new** account, immediately and without refund; then in the old account, if a paused subscription is still there.',
          '`crossbill verify` finds a second half that was forgotten.',
        ],
      },
      {
        heading: 'When something is down',
        table: {
          heads: ['what', 'what happens by itself', 'what you do'],
          rows: [
            [
              'the service',
              'hooks are repeated for hours; nothing accepted is lost',
              '`crossbill serve`, then `crossbill inbox reconcile`',
            ],
            [
              'Stripe',
              'cancels wait and are repeated for about eight hours',
              '`crossbill inbox redrive --all` when it is back',
            ],
            [
              'Kajabi',
              'no offer is taken or given; the poller stops',
              'nothing; `crossbill inbox list` shows what waits',
            ],
            [
              'too many cancels in an hour',
              'the breaker stops all cancelling',
              'read `crossbill inbox list`, then `crossbill inbox resume`',
            ],
          ],
        },
      },
    ],
  }
}

/** What `apply` needs before it moves or settles a member. */
function serviceNeed({ catalog: { project } }: Evidence): string {
  return project.serve === undefined
    ? 'None of them needs the service to run.'
    : '`crossbill apply` moves and settles only while `crossbill serve` runs on the same store, because a cancel must know of each move. The other commands do not need the service.'
}
