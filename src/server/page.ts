import { createHash } from 'node:crypto'
import type { Ending } from '../engine/inbox/ending.ts'
import { day, type Words } from './words.ts'

/** Readable without its style sheet, by keyboard, by a screen reader, on a phone, in the dark; no script, no image, no other host. */
const style = `
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5a6675; --paper: #f6f4f0; --card: #fff; --line: #dcd7ce; --act: #a3262f; --act-ink: #fff }
@media (prefers-color-scheme: dark) { :root { --ink: #eceae6; --soft: #a9b0ba; --paper: #15181d; --card: #1e2229; --line: #363c46; --act: #e0656d; --act-ink: #15181d } }
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: grid; grid-template-columns: minmax(0, 1fr); place-items: center; grid-template-columns: minmax(0, 1fr); padding: min(1.5rem, 5vw); background: var(--paper); color: var(--ink); font: 1.0625rem/1.6 system-ui, sans-serif }
main { width: 100%; min-width: 0; max-width: 34rem; overflow-wrap: anywhere; padding: clamp(1.5rem, 5vw, 2.75rem); background: var(--card); border: 1px solid var(--line); border-radius: 0.875rem }
h1 { margin: 0 0 1rem; font-size: clamp(1.4rem, 4.5vw, 1.75rem); line-height: 1.25; letter-spacing: -0.01em; text-wrap: balance }
p { margin: 0 0 0.75rem }
form { margin: 1.75rem 0 1rem }
button { width: 100%; min-height: 3rem; padding: 0.75rem min(1.5rem, 4vw); border: 0; border-radius: 0.5rem; background: var(--act); color: var(--act-ink); font: inherit; font-weight: 600; cursor: pointer }
button:hover { filter: brightness(1.08) }
button:focus-visible { outline: 3px solid var(--ink); outline-offset: 3px }
.soft { color: var(--soft); margin: 0 }
.wide { max-width: 60rem; align-self: start }
h2 { margin: 1.75rem 0 0.5rem; font-size: 1rem }
.scroll { overflow-x: auto }
table { width: 100%; border-collapse: collapse; font-size: 0.9375rem; font-variant-numeric: tabular-nums }
th, td { padding: 0.4rem 1rem 0.4rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); white-space: nowrap }
td:last-child { white-space: normal; overflow-wrap: break-word; min-width: 12rem }
.scroll + .soft { margin-top: 1.25rem }
th { color: var(--soft); font-weight: 600 }
.rows tr { display: table-row }
@media (max-width: 40rem) {
  .rows thead { display: none }
  .rows tr { display: flex; flex-wrap: wrap; column-gap: 1rem; padding: 0.4rem 0; border-bottom: 1px solid var(--line) }
  .rows td { padding: 0; border: 0 }
  .rows td:last-child { flex-basis: 100% }
}
.trouble { overflow-x: auto; padding: 0.75rem 1rem; border-left: 4px solid var(--act); background: var(--paper) }
code { font: 0.9375em ui-monospace, monospace; white-space: nowrap }
@media print { form { display: none } body { background: none } main { border: 0 } }
`

/** For the content security policy: this style and nothing else. */
export const styleHash = `'sha256-${createHash('sha256').update(style).digest('base64')}'`

export interface Document {
  readonly language: string
  readonly title: string
  readonly heading: string
  /** HTML, its texts escaped. */
  readonly body: string
  readonly wide?: boolean
  readonly renewSeconds?: number
}

export function document({ language, title, heading, body, wide, renewSeconds }: Document): string {
  const renew = renewSeconds === undefined ? '' : `<meta http-equiv="refresh" content="${renewSeconds}">\n`
  return `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
${renew}<title>${escape(title)}</title>
<style>${style}</style>
</head>
<body>
<main${wide === true ? ' class="wide"' : ''}>
<h1>${escape(heading)}</h1>
${body}
</main>
</body>
</html>
`
}

function page({ language }: Words, title: string, body: string): string {
  return document({ language, title, heading: title, body })
}

/** What will end and when, and one button. `ending` is absent when Stripe could not be asked: the wish can be stored all the same. */
export function askingPage(words: Words, ending: Ending | undefined, cancelsNow: boolean): string {
  const what =
    ending === undefined || ending.products.length === 0 ? words.membership : list(ending.products, words.and)
  const when = ending === undefined ? [] : [cancelsNow ? words.endsNow : words.endsAt(day(ending.endsAt, words))]
  const payment = ending?.nextPayment === undefined ? [] : [words.noNextPayment(day(ending.nextPayment, words))]
  const sentences = [words.ends(what), ...when, ...payment].map((one) => `<p>${escape(one)}</p>`)
  return page(
    words,
    words.title,
    `${sentences.join('\n')}
<form method="post">
<p id="question">${escape(words.question)}</p>
<button type="submit" aria-describedby="question">${escape(words.yes)}</button>
</form>
<p class="soft">${escape(words.keep)}</p>`,
  )
}

export function donePage(words: Words): string {
  return page(words, words.doneTitle, `<p role="status">${escape(words.done)}</p>`)
}

export function nothingPage(words: Words): string {
  return page(words, words.nothingTitle, `<p>${escape(words.nothing)}</p>`)
}

export function badLinkPage(words: Words): string {
  return page(words, words.badTitle, `<p>${escape(words.bad)}</p>`)
}

export function laterPage(words: Words): string {
  return page(words, words.laterTitle, `<p role="alert">${escape(words.later)}</p>`)
}

function list(parts: readonly string[], and: string): string {
  const last = parts.at(-1) ?? ''
  return parts.length < 2 ? last : `${parts.slice(0, -1).join(', ')} ${and} ${last}`
}

export function escape(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)
}
