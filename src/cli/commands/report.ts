import { standingOf } from '../../assumptions/standing.ts'
import { asRebuilt } from '../../engine/as-rebuilt.ts'
import { exitCodes } from '../exit-codes.ts'
import { join } from 'node:path'
import { formatInstant } from '../../core/instant.ts'
import { copyMapCheck } from '../../engine/verify/copied.ts'
import { doctor } from '../../engine/doctor/doctor.ts'
import { makePlan } from '../../engine/plan/make-plan.ts'
import { stateExport } from '../../engine/state.ts'
import { verify } from '../../engine/verify/verify.ts'
import type { Context } from '../../engine/context.ts'
import { writeWhole } from '../../files/write.ts'
import { openLinkMaker } from '../wiring/member-links.ts'
import { command } from '../command.ts'
import { withProjectDespite } from '../wiring/project.ts'
import { documentHtml, documentMarkdown } from '../report/document.ts'
import type { Evidence } from '../report/evidence.ts'
import { packet } from '../report/packet.ts'
import type { Shell } from '../shell.ts'

export const main = command({
  positionals: {},
  options: {
    out: { type: 'string', requiresArg: true, describe: 'folder for the documents; default: report/ in the project' },
    'cancel-links': {
      type: 'boolean',
      default: false,
      describe: "also write each member's own cancel link, for a mailing; treat that file as a secret",
    },
  },
  examples: [
    ['report', 'write the migration plan, mapping, cutover checklist, checks and rollback plan from the live state'],
    ['report --out evidence/2026-12', 'write the documents to another folder'],
    ['report --cancel-links', 'also write cancel-links.csv: customer, subscriber, link, expiry'],
  ],
  formats: ['text', 'json'],
  async run({ out, 'cancel-links': links }, shell) {
    return await withProjectDespite(shell, { leniency: 'entries' }, async ({ context }) => {
      const documents = packet(await gather(context))
      const folder = shell.pathOr(out, 'report')
      const written: string[] = []
      for (const document of documents)
        for (const [ending, text] of [
          ['md', documentMarkdown(document)],
          ['html', documentHtml(document)],
        ] as const) {
          const path = join(folder, `${document.slug}.${ending}`)
          await writeWhole(path, text)
          written.push(shell.near(path))
        }
      if (links) written.push(await writeLinks(join(folder, 'cancel-links.csv'), context, shell))
      if (shell.format === 'json') shell.json({ written })
      else shell.out(written.join('\n'))
      return exitCodes.fine
    })
  },
})

/** Such a link is enough to cancel, so only the owner of the file may read it. */
async function writeLinks(
  path: string,
  { catalog: { project, subscribers }, accounts }: Context,
  shell: Shell,
): Promise<string> {
  const { link, expires } = await openLinkMaker(project.serve, undefined, shell, () => accounts.target.now())
  const members = subscribers.filter((one) => one.excluded === undefined)
  const rows = members.map(({ customer, key }) => [customer, key, link(key, ''), formatInstant(expires)].join(','))
  await writeWhole(path, `${['customer,subscriber,link,expires', ...rows].join('\n')}\n`, 0o600)
  return shell.near(path)
}

async function gather(context: Context): Promise<Evidence> {
  const rebuilt = await asRebuilt(context)
  return {
    tool: context.tool,
    at: formatInstant(context.accounts.target.now()),
    catalog: context.catalog,
    plan: await makePlan(context),
    verified: await verify(context),
    doctor: await doctor(context, { localNow: Math.floor(Date.now() / 1_000) }),
    copied: await copyMapCheck(context),
    standing: standingOf(context.confirmed ?? { missing: true }, context.catalog),
    identities: await stateExport(rebuilt),
    phases: new Map((await rebuilt.store.subscribers()).map(({ key, phase }) => [key, phase])),
  }
}
