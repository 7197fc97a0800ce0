import { join } from 'node:path'
import { formatInstant } from '../../core/instant.ts'
import { copyMapCheck } from '../../engine/copy-map.ts'
import { doctor } from '../../engine/doctor.ts'
import { makePlan } from '../../engine/make-plan.ts'
import { stateExport, stateShow } from '../../engine/state.ts'
import { verify } from '../../engine/verify.ts'
import type { Context } from '../../engine/context.ts'
import { writeWhole } from '../../files/write.ts'
import { command, exitCodes } from '../command.ts'
import { withProject } from '../project.ts'
import { documentHtml, documentMarkdown } from '../report/document.ts'
import type { Evidence } from '../report/evidence.ts'
import { packet } from '../report/packet.ts'

export const main = command({
  positionals: {},
  options: { out: { type: 'string', requiresArg: true, default: 'report', describe: 'folder for the documents' } },
  examples: [
    ['report', 'migration plan, mapping, cutover checklist, checks and rollback plan from the real state'],
    ['report --out evidence/2026-12', 'somewhere else'],
  ],
  formats: ['text', 'json'],
  async run({ out }, shell) {
    return await withProject(shell, async ({ context }) => {
      const documents = packet(await gather(context))
      const folder = shell.path(out)
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
      if (shell.format === 'json') shell.json({ written })
      else shell.out(written.join('\n'))
      return exitCodes.fine
    })
  },
})

async function gather(context: Context): Promise<Evidence> {
  return {
    tool: context.tool,
    at: formatInstant(context.accounts.target.now()),
    catalog: context.catalog,
    plan: await makePlan(context),
    verified: await verify(context),
    doctor: await doctor(context, { localNow: Math.floor(Date.now() / 1_000) }),
    copied: await copyMapCheck(context),
    identities: await stateExport(context),
    phases: (await stateShow(context)).subscribers,
  }
}
