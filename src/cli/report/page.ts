import { html, raw, type Html } from '../../core/html.ts'
import type { OutputKind } from '../../files/outputs.ts'

/**
 * A page is one file that needs no network: it contains its styles and uses no script and no
 * external font. It can be read on a phone (one column, tables scroll in their own box), on paper
 * (no colours needed, rows are not split) and in a dark colour scheme.
 */
const style = `
:root{color-scheme:light dark;--ink:#1b2733;--soft:#5a6978;--line:#d9e0e7;--paper:#fff;--tint:#f4f7f9;--good:#10693b;--bad:#a61b1b;--was:#8796a5;--now:#0b62a4}
@media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9fb0c0;--line:#31404d;--paper:#10161c;--tint:#18212a;--good:#5fd095;--bad:#ff9089;--was:#7f8f9f;--now:#62b2f0}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:62rem;margin:0 auto;padding:1.5rem 1rem 4rem}
h1{font-size:1.7rem;line-height:1.25;margin:.2rem 0 .6rem}h2{font-size:1.2rem;margin:2.4rem 0 .6rem}
p{margin:.5rem 0;max-width:46rem}.soft{color:var(--soft)}
.verdict{border-left:.4rem solid var(--good);background:var(--tint);padding:.8rem 1rem;border-radius:.3rem}
.verdict.bad{border-color:var(--bad)}.verdict strong{font-size:1.1rem}
.figures{display:grid;grid-template-columns:repeat(var(--columns,4),1fr);gap:.7rem;margin:1rem 0;padding:0;list-style:none}
.figures li{background:var(--tint);border-radius:.4rem;padding:.7rem .9rem}.figures b{display:block;font-size:1.45rem;font-variant-numeric:tabular-nums}
.figures .bad b{color:var(--bad)}
@media (max-width:40rem){.figures{grid-template-columns:repeat(3,1fr)}.figures li{padding:.6rem .5rem}.figures li:last-child:nth-child(3n+1){grid-column:1/-1}}
.scroll{overflow-x:auto}figure{margin:1rem 0}.plot{width:100%;height:auto;display:block;font:12px system-ui,sans-serif;fill:var(--soft)}.plot.narrow{display:none}
.plot .axis path{stroke:var(--soft);fill:none}.plot .axis .grid{stroke:var(--line)}.plot .bars rect{fill:var(--was);opacity:.75}.plot .caps{stroke:var(--now);stroke-width:2.4;fill:none}
.plot .bands rect{fill:var(--now);opacity:.07}.plot .bands path{stroke:var(--now);stroke-dasharray:3 3;opacity:.6}.plot .differs circle{fill:var(--bad)}
.plot .hover rect{fill:transparent}.plot .hover rect:hover{fill:var(--now);opacity:.18}.plot .wave rect{fill:var(--was)}.plot .wave circle{fill:var(--now)}.plot .name{fill:var(--ink)}
@media (max-width:40rem){.plot.wide{display:none}.plot.narrow{display:block}}
figcaption{color:var(--soft);font-size:.9rem}
table{border-collapse:collapse;width:100%;font-size:.93rem}th,td{text-align:left;padding:.4rem .7rem .4rem 0;border-bottom:1px solid var(--line);vertical-align:top}
th{color:var(--soft);font-weight:600}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
nav{display:flex;flex-wrap:wrap;gap:.3rem .9rem;font-size:.9rem;padding-bottom:.8rem;border-bottom:1px solid var(--line);margin-bottom:1.2rem}a{color:var(--now)}
ul.checks{list-style:none;padding-left:0}ul.checks li{margin:.25rem 0;padding-left:1.5rem;text-indent:-1.5rem}section+section{margin-top:4rem}
.plot rect.source{fill:var(--was)}.plot rect.moved{fill:var(--now)}.plot rect.settled{fill:var(--good)}.plot rect.failed{fill:var(--bad)}.plot rect.whole{fill:var(--line)}
code{font:.9em ui-monospace,SFMono-Regular,Menlo,monospace;overflow-wrap:anywhere}td code{overflow-wrap:break-word}td{overflow-wrap:anywhere;min-width:5.5rem}td.n{min-width:0}span.day{white-space:nowrap}a.fine{font-size:.8em;color:var(--soft)}
details{border:1px solid var(--line);border-radius:.4rem;padding:.5rem .8rem;margin:.5rem 0}summary{cursor:pointer;font-weight:600}summary .soft{font-weight:400}summary code{font-size:.8em}
ul.plain{margin:0;padding-left:1.1rem}
@media (max-width:40rem){.stacked thead{display:none}.stacked tr{display:block;padding:.5rem 0;border-bottom:1px solid var(--line)}.stacked td code{overflow-wrap:anywhere}.stacked td,.stacked td.n{display:block;min-width:0;border:0;padding:.1rem 0;text-align:left;white-space:normal;overflow-wrap:anywhere}
.stacked td:empty{display:none}.stacked td:not(:first-child)::before{content:attr(data-label) ": ";color:var(--soft)}}
@media (min-width:40.01rem){.stacked td:first-child{min-width:11rem}}
@media print{nav{display:none}section{break-before:page}.plot.wide{display:block}.plot.narrow{display:none}body{font-size:11pt}main{max-width:none;padding:0}tr,figure,li{break-inside:avoid}.scroll{overflow:visible}details::details-content{content-visibility:visible;display:block}}
`

/** The commands that write pages to files; each replaces only its own. */
type PageOf = 'plan' | 'rehearse' | 'report'

function madeBy(command: PageOf): Html {
  return html`<meta name="generator" content="crossbill ${command}" />`
}

/** A page that one of these commands wrote. */
export function pageKind(what: string, ...commands: readonly PageOf[]): OutputKind {
  return { what, isOne: (text) => commands.some((command) => text.includes(madeBy(command).html)) }
}

export function page(title: string, body: Html, command: PageOf): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'" />
        <meta name="robots" content="noindex" />
        ${madeBy(command)}
        <title>${title}</title>
        <style>
          ${raw(style)}
        </style>
      </head>
      <body>
        <main>${body}</main>
      </body>
    </html> `.html
}

export interface Column<Row> {
  readonly title: string
  readonly number?: true
  readonly cell: (row: Row) => Html | string | number
}

/** A table in its own box, so that a wide table does not widen the page. */
export function table<Row>(
  caption: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  // On a phone, a stacked table shows each row as a block with the titles in front of the cells.
  { stacked = false }: { readonly stacked?: boolean } = {},
): Html {
  const kind = (column: Column<Row>): Html => raw(column.number === true ? ' class="n"' : '')
  const label = (column: Column<Row>): Html => (stacked ? html` data-label="${column.title}"` : raw(''))
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}">
    <table${raw(stacked ? ' class="stacked"' : '')}>
      <thead>
        <tr>
          ${columns.map((column) => html`<th scope="col" ${kind(column)}>${column.title}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr>
              ${columns.map((column) => html`<td${kind(column)}${label(column)}>${column.cell(row)}</td>`)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`
}

/** Text between backquotes becomes code; `plain` renders the rest. */
export function withCode(text: string, plain: (part: string) => Html = (part) => html`${part}`): Html {
  const parts = text.split(/`([^`]*)`/)
  return {
    html: parts.map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : plain(part)).html).join(''),
  }
}

/** A list that folds behind its heading; `open` shows it unfolded. */
export function folded(summary: Html | string, inside: Html, open: boolean): Html {
  return html`<details${raw(open ? ' open' : '')}><summary>${summary}</summary>${inside}</details>`
}
