import { exitCodes } from '../exit-codes.ts'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { formatInstant } from '../../core/instant.ts'
import type { Context } from '../../engine/context.ts'
import { writeWhole } from '../../files/write.ts'
import { openLinkMaker } from '../wiring/member-links.ts'
import { command } from '../command.ts'
import { withProjectDespite } from '../wiring/project.ts'
import { documentHtml, documentMarkdown, wholeHtml } from '../report/document.ts'
import { gather } from '../report/gather.ts'
import { packet } from '../report/packet.ts'
import { readRecord, recordFiles } from '../report/rehearsal-record.ts'
import { readSnapshot, since, snapshotOf, type Snapshot } from '../report/since.ts'
import { UsageError } from '../usage-error.ts'
import type { Shell } from '../shell.ts'

export const main = command({
  positionals: {},
  options: {
    out: { type: 'string', requiresArg: true, describe: 'folder for the documents; default: report/ in the project' },
    since: {
      type: 'string',
      requiresArg: true,
      describe: 'an earlier report.json to compare with; default: the one in the folder, if there is one',
    },
    'cancel-links': {
      type: 'boolean',
      default: false,
      describe: "also write each member's own cancel link, for a mailing; treat that file as a secret",
    },
  },
  examples: [
    ['report', 'write the cover, the seven deliverables and the people who wait, from the live state'],
    ['report --out evidence/2026-12', 'write the documents to another folder'],
    ['report --since evidence/2026-11/report.json', 'also show what changed since that report'],
    ['report --cancel-links', 'also write cancel-links.csv: customer, subscriber, link, expiry'],
  ],
  formats: ['text', 'json'],
  async run({ out, since: earlier, 'cancel-links': links }, shell) {
    return await withProjectDespite(shell, { leniency: 'entries' }, async ({ context }) => {
      const folder = shell.pathOr(out, 'report')
      const before = await snapshotIn(earlier === undefined ? join(folder, 'report.json') : shell.existing(earlier))
      if (earlier !== undefined && before === undefined)
        throw new UsageError(
          'not-a-report',
          `${earlier} is no report.json of an earlier report`,
          'Nothing was written.',
        )
      const records = await Promise.all(recordFiles.map((name) => textOf(shell.pathInProject(join('report', name)))))
      const evidence = await gather(
        context,
        records.flatMap((text) => readRecord(text) ?? []),
      )
      const now = snapshotOf(evidence)
      const documents = packet(evidence, before === undefined ? undefined : since(before, now))
      const written: string[] = []
      const write = async (name: string, text: string): Promise<void> => {
        const path = join(folder, name)
        await writeWhole(path, text)
        written.push(shell.near(path))
      }
      for (const document of documents) {
        await write(`${document.slug}.md`, documentMarkdown(document))
        await write(`${document.slug}.html`, documentHtml(document, documents))
      }
      await write('evidence.html', wholeHtml(documents[0]?.title ?? '', documents))
      await write('report.json', `${JSON.stringify(now, null, 2)}\n`)
      if (links) written.push(await writeLinks(join(folder, 'cancel-links.csv'), context, shell))
      if (shell.format === 'json') shell.json({ written, ...now })
      else shell.out(written.join('\n'))
      return exitCodes.fine
    })
  },
})

async function snapshotIn(path: string): Promise<Snapshot | undefined> {
  return readSnapshot(await textOf(path))
}

/** The text of a file; empty when the file does not exist. */
async function textOf(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '')
}

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
