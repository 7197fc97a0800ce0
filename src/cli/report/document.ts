import { html, raw, type Html } from '../../core/html.ts'
import type { OutputKind } from '../../files/outputs.ts'
import { dated } from '../dated.ts'
import { page, table, withCode } from './page.ts'

/**
 * A page of the evidence packet, with the same content in Markdown and HTML. Text between
 * backquotes is shown as code, and `[words](slug)` as a link to another page of the packet.
 */
export interface Document {
  /** File name without its extension. */
  readonly slug: string
  readonly title: string
  /** A shorter title, for links. */
  readonly name?: string
  readonly intro: string
  readonly verdict?: { readonly good: boolean; readonly text: string }
  readonly figures?: readonly { readonly label: string; readonly value: number; readonly bad?: boolean }[]
  readonly sections: readonly Section[]
  /** The whole page in HTML, where it shows more than the Markdown. */
  readonly page?: Html
}

export interface Section {
  readonly heading: string
  readonly text?: string
  /** A picture, with the words for those who cannot see it; the HTML alone shows it. */
  readonly plot?: { readonly picture: Html; readonly words: string }
  readonly table?: Table
  readonly checks?: readonly { readonly done: boolean; readonly text: string }[]
  readonly steps?: readonly string[]
}

interface Table {
  readonly heads: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** Where a link to a page leads: another file, or a place in the same one. */
type Link = (slug: string) => string

/** The page that explains codes. */
export const codesSlug = 'codes'

const linked = /\[([^\]]+)\]\(([a-z-]+)\)/g

const reportMark = '<!-- crossbill report -->'

/** A Markdown page of an earlier report. */
export const markdownKind: OutputKind = {
  what: 'a page of a report',
  isOne: (text) => text.trimEnd().endsWith(reportMark),
}

export function documentMarkdown({ title, intro, verdict, figures = [], sections }: Document): string {
  const text = [
    `# ${title}`,
    ...(verdict === undefined ? [] : [`**${verdict.text}**`]),
    intro,
    ...(figures.length === 0 ? [] : [figures.map(({ label, value }) => `- ${value} ${label}`).join('\n')]),
    ...sections.map(sectionMarkdown),
  ]
  return dated(text.join('\n\n')).replaceAll(linked, '[$1]($2.md)').concat(`\n\n${reportMark}\n`)
}

function sectionMarkdown({ heading, text, table: of, checks, steps }: Section): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [
    `## ${heading}`,
    ...(text === undefined ? [] : [text]),
    ...(of === undefined
      ? []
      : of.rows.length === 0
        ? ['None.']
        : [[line(of.heads), line(of.heads.map(() => '---')), ...of.rows.map(line)].join('\n')]),
    ...(checks === undefined ? [] : [checks.map((check) => `- [${check.done ? 'x' : ' '}] ${check.text}`).join('\n')]),
    ...(steps === undefined ? [] : [steps.map((step, index) => `${index + 1}. ${step}`).join('\n')]),
  ].join('\n\n')
}

/** @param all the pages of the packet, which the top of each page links */
export function documentHtml(document: Document, all: readonly Document[] = []): string {
  const link: Link = (slug) => `${slug}.html`
  return page(document.title, html`${navigation(all, document, link)}${documentBody(document, link)}`, 'report')
}

/** All pages in one file, for a mail or an archive. The first page has the table of contents. */
export function wholeHtml(title: string, documents: readonly Document[]): string {
  const link: Link = (slug) => `#${slug}`
  return page(
    title,
    html`${documents.map(
      (one) => html`<section id="${one.slug}">${navigation(documents, one, link)}${documentBody(one, link)}</section>`,
    )}`,
    'report',
  )
}

function navigation(all: readonly Document[], current: Document, link: Link): Html {
  if (all.length === 0) return raw('')
  return html`<nav aria-label="Pages, from: ${nameOf(current)}">
    ${all.map((one, index) => {
      const name = index === 0 ? 'Overview' : nameOf(one)
      return one.slug === current.slug
        ? html`<b aria-current="page">${name}</b>`
        : html`<a href="${link(one.slug)}">${name}</a>`
    })}
  </nav>`
}

export function nameOf({ name, title }: Document): string {
  return name ?? title
}

function documentBody({ title, intro, verdict, figures = [], sections, page: whole }: Document, link: Link): Html {
  if (whole !== undefined) return whole
  const told =
    verdict === undefined
      ? raw('')
      : html`<p class="verdict${verdict.good ? '' : ' bad'}"><strong>${verdict.text}</strong></p>`
  const numbers =
    figures.length === 0
      ? raw('')
      : html`<ul class="figures" style="--columns:${columnsFor(figures.length)}">
          ${figures.map(({ label, value, bad = false }) => html`<li${raw(bad ? ' class="bad"' : '')}><b>${value}</b>${label}</li>`)}
        </ul>`
  return html`<h1>${title}</h1>
    ${told}
    <p>${formatted(intro, link)}</p>
    ${numbers} ${sections.map((section) => sectionHtml(section, title, link))}`
}

/** So many that no row has a single tile. */
function columnsFor(tiles: number): number {
  return tiles <= 6 ? tiles : Math.ceil(tiles / 2)
}

function sectionHtml({ heading, text, plot, table: of, checks, steps }: Section, title: string, link: Link): Html {
  return html`<h2>${heading}</h2>
    ${text === undefined ? raw('') : html`<p>${formatted(text, link)}</p>`}
    ${
      plot === undefined
        ? raw('')
        : html`<figure>
            ${plot.picture}
            <figcaption>${plot.words}</figcaption>
          </figure>`
    }
    ${of === undefined ? raw('') : of.rows.length === 0 ? html`<p>None.</p>` : tableHtml(`${title}: ${heading}`, of, link)}
    ${
      checks === undefined
        ? raw('')
        : html`<ul class="checks">
            ${checks.map((check) => html`<li>${check.done ? '☑' : '☐'} ${formatted(check.text, link)}</li>`)}
          </ul>`
    }
    ${
      steps === undefined
        ? raw('')
        : html`<ol>
            ${steps.map((step) => html`<li>${formatted(step, link)}</li>`)}
          </ol>`
    }`
}

function tableHtml(caption: string, { heads, rows }: Table, link: Link): Html {
  return table(
    caption,
    heads.map((title, index) => ({ title, cell: (row: readonly string[]) => formatted(row[index] ?? '', link) })),
    rows,
    { stacked: heads.length > 3 },
  )
}

/** Text between backquotes becomes code, links become links; everything else stays text. */
function formatted(text: string, link: Link): Html {
  return withCode(dated(text), (part) => withLinks(part, link))
}

function withLinks(text: string, link: Link): Html {
  const parts = text.split(linked).map((part, index, all): Html => {
    if (index % 3 === 0) return withDays(part)
    if (index % 3 === 2) return raw('')
    const slug = all[index + 1] ?? ''
    // A code is small print beside its words.
    return slug === codesSlug && /^[a-z_]+$/.test(part)
      ? html`<a class="fine" href="${link(slug)}">${part}</a>`
      : html`<a href="${link(slug)}">${part}</a>`
  })
  // Joined without a space: a full stop may follow a link.
  return raw(parts.map((part) => part.html).join(''))
}

/** Days stay on one line. */
function withDays(text: string): Html {
  const parts = text.split(/(\d{4}-\d\d-\d\d)/)
  return raw(
    parts
      .map((part, index) => (index % 2 === 1 ? html`<span class="day">${part}</span>` : html`${part}`).html)
      .join(''),
  )
}
