import { exitCodes } from '../exit-codes.ts'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { formatInstant } from '../../core/instant.ts'
import type { Context } from '../../engine/context.ts'
import { refuseTaken, writeOutput, type Output, type OutputKind } from '../../files/outputs.ts'
import { openLinkMaker } from '../wiring/member-links.ts'
import { command } from '../command.ts'
import { withProjectDespite } from '../wiring/project.ts'
import { documentHtml, documentMarkdown, markdownKind, wholeHtml } from '../report/document.ts'
import { gather } from '../report/gather.ts'
import { pageKind } from '../report/page.ts'
import { packet } from '../report/packet.ts'
import { readRecord, recordFiles } from '../report/rehearsal-record.ts'
import { readSnapshot, since, snapshotKind, snapshotOf, type Snapshot } from '../report/since.ts'
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
    const folder = shell.pathOr(out, 'report')
    // Before the long read; which other pages there are, only the evidence says.
    await refuseTaken(always.map((file) => ({ ...file, path: join(folder, file.name) })))
    return await withProjectDespite(shell, { leniency: 'entries' }, async ({ context }) => {
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
      const files: File[] = [
        ...documents.flatMap((document): readonly File[] => [
          { name: `${document.slug}.md`, kind: markdownKind, text: documentMarkdown(document) },
          { name: `${document.slug}.html`, kind: htmlKind, text: documentHtml(document, documents) },
        ]),
        { ...evidenceFile, text: wholeHtml(documents[0]?.title ?? '', documents) },
        { ...snapshotFile, text: `${JSON.stringify(now, null, 2)}\n` },
        ...(links ? [await linksFile(context, shell)] : []),
      ]
      const outputOf = ({ name, kind }: File): Output => ({ path: join(folder, name), kind })
      await refuseTaken(files.map(outputOf))
      const written: string[] = []
      for (const file of files) {
        const output = outputOf(file)
        await writeOutput(output, file.text, file.mode === undefined ? {} : { mode: file.mode })
        written.push(shell.near(output.path))
      }
      if (shell.format === 'json') shell.json({ written, ...now })
      else shell.out(written.join('\n'))
      return exitCodes.fine
    })
  },
})

interface File {
  readonly name: string
  readonly kind: OutputKind
  readonly text: string
  readonly mode?: number
}

// `rehearse` writes its page to the same place, and it is the same page.
const htmlKind = pageKind('a page of a report', 'report', 'rehearse')

const evidenceFile = { name: 'evidence.html', kind: htmlKind }
const snapshotFile = { name: 'report.json', kind: snapshotKind }
const always = [evidenceFile, snapshotFile]

const linksHead = 'customer,subscriber,link,expires'
const linksKind: OutputKind = { what: 'a list of cancel links', isOne: (text) => text.startsWith(`${linksHead}\n`) }

async function snapshotIn(path: string): Promise<Snapshot | undefined> {
  return readSnapshot(await textOf(path))
}

/** The text of a file; empty when the file does not exist. */
async function textOf(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '')
}

/** Such a link is enough to cancel, so only the owner of the file may read it. */
async function linksFile({ catalog: { project, subscribers }, accounts }: Context, shell: Shell): Promise<File> {
  const { link, expires } = await openLinkMaker(project.serve, undefined, shell, () => accounts.target.now())
  const members = subscribers.filter((one) => one.excluded === undefined)
  const rows = members.map(({ customer, key }) => [customer, key, link(key, ''), formatInstant(expires)].join(','))
  return { name: 'cancel-links.csv', kind: linksKind, text: `${[linksHead, ...rows].join('\n')}\n`, mode: 0o600 }
}
