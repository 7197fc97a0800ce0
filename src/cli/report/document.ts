import { html, raw, type Html } from '../../core/html.ts'
import { page, table } from './page.ts'

/**
 * A page of the evidence packet, with the same content in Markdown and HTML. Text between
 * backquotes is shown as code.
 */
export interface Document {
  /** File name without its extension. */
  readonly slug: string
  readonly title: string
  readonly intro: string
  readonly sections: readonly Section[]
}

export interface Section {
  readonly heading: string
  readonly text?: string
  readonly table?: { readonly heads: readonly string[]; readonly rows: readonly (readonly string[])[] }
  readonly checks?: readonly { readonly done: boolean; readonly text: string }[]
  readonly steps?: readonly string[]
}

export function documentMarkdown({ title, intro, sections }: Document): string {
  return [`# ${title}`, intro, ...sections.map(sectionMarkdown)].join('\n\n').concat('\n')
}

function sectionMarkdown({ heading, text, table: of, checks, steps }: Section): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [
    `## ${heading}`,
    ...(text === undefined ? [] : [text]),
    ...(of === undefined ? [] : [[line(of.heads), line(of.heads.map(() => '---')), ...of.rows.map(line)].join('\n')]),
    ...(checks === undefined ? [] : [checks.map((check) => `- [${check.done ? 'x' : ' '}] ${check.text}`).join('\n')]),
    ...(steps === undefined ? [] : [steps.map((step, index) => `${index + 1}. ${step}`).join('\n')]),
  ].join('\n\n')
}

export function documentHtml({ title, intro, sections }: Document): string {
  return page(
    title,
    html`<h1>${title}</h1>
      <p>${formatted(intro)}</p>
      ${sections.map(sectionHtml)}`,
  )
}

function sectionHtml({ heading, text, table: of, checks, steps }: Section): Html {
  return html`<h2>${heading}</h2>
    ${text === undefined ? raw('') : html`<p>${formatted(text)}</p>`}
    ${of === undefined ? raw('') : tableHtml(heading, of)}
    ${
      checks === undefined
        ? raw('')
        : html`<ul>
            ${checks.map((check) => html`<li>${check.done ? '☑' : '☐'} ${formatted(check.text)}</li>`)}
          </ul>`
    }
    ${
      steps === undefined
        ? raw('')
        : html`<ol>
            ${steps.map((step) => html`<li>${formatted(step)}</li>`)}
          </ol>`
    }`
}

function tableHtml(caption: string, { heads, rows }: NonNullable<Section['table']>): Html {
  return table(
    caption,
    heads.map((title, index) => ({ title, cell: (row: readonly string[]) => formatted(row[index] ?? '') })),
    rows,
  )
}

/** Text between backquotes becomes code; everything else stays text. */
function formatted(text: string): Html {
  const parts = text.split(/`([^`]*)`/)
  return {
    html: parts.map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : html`${part}`).html).join(''),
  }
}
