import { createHash } from 'node:crypto'
import type { Ending } from '../engine/inbox/ending.ts'
import type { Instant } from '../core/instant.ts'
import { html, raw, type Html } from '../core/html.ts'
import { day, direction, list, sum, type Words } from './words.ts'

/**
 * The pages work without this style sheet, with a keyboard, with a screen reader, on a phone and in
 * a dark colour scheme. They load no script, no image and nothing from another host.
 */
const style = `
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5a6675; --paper: #f6f4f0; --card: #fff; --line: #dcd7ce; --act: #a3262f; --act-ink: #fff; --go: #1d5a86 }
@media (prefers-color-scheme: dark) { :root { --ink: #eceae6; --soft: #a9b0ba; --paper: #15181d; --card: #1e2229; --line: #363c46; --act: #e0656d; --act-ink: #15181d; --go: #7fb8e2 } }
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: grid; grid-template-columns: minmax(0, 1fr); place-items: center; padding: min(1.5rem, 5vw); background: var(--paper); color: var(--ink); font: 1.0625rem/1.6 system-ui, sans-serif }
main { width: 100%; min-width: 0; max-width: 34rem; overflow-wrap: anywhere; hyphens: auto; padding: min(2.75rem, max(16px, 6.5vw)); background: var(--card); border: 1px solid var(--line); border-radius: 0.875rem }
h1 { margin: 0 0 1rem; font-size: clamp(1.4rem, 4.5vw, 1.75rem); line-height: 1.25; letter-spacing: -0.01em; text-wrap: balance }
p { margin: 0 0 0.75rem }
form { margin: 1.75rem 0 1rem }
button { width: 100%; min-height: 3rem; padding: 0.75rem min(1.5rem, 4vw); border: 0; border-radius: 0.5rem; background: var(--act); color: var(--act-ink); font: inherit; font-weight: 600; cursor: pointer }
button.go { background: var(--go) }
button:hover { filter: brightness(1.08) }
button:focus-visible { outline: 3px solid var(--ink); outline-offset: 3px }
.soft { color: var(--soft); margin: 0 }
.from { margin: 0 0 1.25rem; color: var(--soft); font-weight: 600 }
.contact { margin-top: 1.25rem; padding-top: 1rem; border-top: 1px solid var(--line) }
a { color: inherit; text-underline-offset: 0.2em }
a:focus-visible { outline: 3px solid var(--ink); outline-offset: 3px }
.wide { max-width: 60rem; align-self: start }
h2 { margin: 1.75rem 0 0.5rem; font-size: 1rem }
.scroll { overflow-x: auto }
table { width: 100%; border-collapse: collapse; font-size: 0.9375rem; font-variant-numeric: tabular-nums }
th, td { padding: 0.4rem 1rem 0.4rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); white-space: nowrap }
td:last-child { white-space: normal; overflow-wrap: break-word; min-width: 12rem }
.scroll + .soft { margin-top: 1.25rem }
th { color: var(--soft); font-weight: 600 }
.rows tr { display: table-row }
.trouble { overflow-x: auto; padding: 0.75rem 1rem; border-left: 4px solid var(--act); background: var(--paper) }
code { font: 0.9375em ui-monospace, monospace; white-space: nowrap }
@media (max-width: 40rem) {
  .rows thead { display: none }
  .rows tr { display: flex; flex-wrap: wrap; column-gap: 1rem; padding: 0.4rem 0; border-bottom: 1px solid var(--line) }
  .rows td, .rows td:last-child { padding: 0; border: 0; min-width: 0; max-width: 100%; white-space: normal; overflow-wrap: anywhere }
  table.rows, .rows tbody { display: block }
  td:last-child { min-width: 0 }
  code { white-space: normal; overflow-wrap: anywhere }
  .rows td:last-child { flex-basis: 100% }
}
@media print { form { display: none } body { background: none } main { border: 0 } }
`

/** The content security policy allows this style only. */
export const styleHash = `'sha256-${createHash('sha256').update(style).digest('base64')}'`

export interface Document {
  readonly language: string
  readonly direction?: 'ltr' | 'rtl'
  readonly title: string
  readonly heading: string
  readonly body: Html
  readonly wide?: boolean
  readonly renewSeconds?: number
  /** The browser goes to this address at once. */
  readonly goTo?: string
}

export function document({
  language,
  direction: way,
  title,
  heading,
  body,
  wide,
  renewSeconds,
  goTo,
}: Document): string {
  const renew = renewSeconds === undefined ? nothing : html`<meta http-equiv="refresh" content="${renewSeconds}" /> `
  const go = goTo === undefined ? nothing : html`<meta http-equiv="refresh" content="0; url=${goTo}" /> `
  return html`<!doctype html>
<html lang="${language}"${way === 'rtl' ? html` dir="rtl"` : nothing}>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
${renew}${go}<title>${title}</title>
<style>${raw(style)}</style>
</head>
<body>
<main${wide === true ? html` class="wide"` : nothing}>
${heading === '' ? nothing : html`<h1>${heading}</h1> `}${body}
</main>
</body>
</html>
`.html
}

const nothing = html``

/** The school that the page names, so that the member recognises it and knows where to ask. */
export interface School {
  readonly name?: string
  /** An e-mail address or the URL of a page. */
  readonly contact?: string
}

/** What the page of one reader depends on. */
export interface Reader {
  readonly words: Words
  readonly school: School
}

/** A page for a member, with the school's name and where to ask. */
export function memberPage({ words, school }: Reader, title: string, body: Html, goTo?: string): string {
  const { name } = school
  const from = name === undefined ? nothing : html`<p class="from">${name}</p> `
  const whole = html`${from}
    <h1>${title}</h1>
    ${body}${contactLine(words, school)}`
  const shown = name === undefined ? title : `${title} – ${name}`
  return document({
    language: words.language,
    direction: direction(words),
    title: shown,
    heading: '',
    body: whole,
    ...(goTo === undefined ? {} : { goTo }),
  })
}

function contactLine({ ask }: Words, { contact }: School): Html {
  if (contact === undefined) return nothing
  const address = contact.includes('@') ? `mailto:${contact}` : contact
  const shown = contact.replace(/^https?:\/\//, '')
  return html` <p class="soft contact">${ask} <a href="${address}">${shown}</a></p>`
}

export function told(sentences: readonly string[]): Html {
  return html`${sentences.map((one) => html`<p>${one}</p>`)}`
}

/**
 * Shows what will end and when, and one button. `ending` is absent when Stripe did not answer; the
 * request can still be stored.
 */
export function askingPage(reader: Reader, ending: Ending | undefined, cancelsNow: boolean): string {
  const { words } = reader
  const what = ending === undefined || ending.products.length === 0 ? words.membership : list(ending.products, words)
  const when = ending === undefined ? [] : [cancelsNow ? words.endsNow : words.endsAt(day(ending.endsAt, words))]
  const sentences = [words.ends(what), ...when, ...noPayment(words, ending), words.nothingElse]
  return memberPage(
    reader,
    words.title,
    html`${told(sentences)}
      <form method="post">
        <p id="question">${words.question}</p>
        <button type="submit" aria-describedby="question">${words.yes}</button>
      </form>
      <p class="soft">${words.keep}</p>`,
  )
}

function noPayment(words: Words, ending: Ending | undefined): readonly string[] {
  if (ending?.nextPayment === undefined) return []
  const due = day(ending.nextPayment, words)
  const { nextAmount } = ending
  return [nextAmount === undefined ? words.noNextPayment(due) : words.noNextPaymentOf(sum(nextAmount, words), due)]
}

/** The request is stored and not done yet. `here`: this page's own address, to load it again. */
export function waitingPage(reader: Reader, here: string): string {
  const { words } = reader
  return memberPage(
    reader,
    words.waitingTitle,
    html`<p role="status">${words.waiting}</p>
      <p><a href="${here}">${words.lookAgain}</a></p>`,
  )
}

/**
 * Stripe has confirmed the cancel. `until`: the end of the paid period, when access lasts to it.
 */
export function donePage(reader: Reader, until: Instant | undefined): string {
  const { words } = reader
  const access = until === undefined ? nothing : html` <p>${words.endsAt(day(until, words))}</p>`
  return memberPage(
    reader,
    words.doneTitle,
    html`<p role="status">${words.done}</p>
      ${access}`,
  )
}

/** The cancel waits for an operator. */
export function personPage(reader: Reader): string {
  const { words } = reader
  return memberPage(reader, words.personTitle, html`<p role="status">${words.person}</p>`)
}

export function endingPage(reader: Reader, at: Instant): string {
  const { words } = reader
  return memberPage(reader, words.endingTitle, told([words.ending(day(at, words))]))
}

export function nothingPage(reader: Reader): string {
  return memberPage(reader, reader.words.nothingTitle, told([reader.words.nothing]))
}

export function badLinkPage(reader: Reader): string {
  return memberPage(reader, reader.words.badTitle, told([reader.words.bad]))
}

export function laterPage(reader: Reader): string {
  return memberPage(reader, reader.words.laterTitle, html`<p role="alert">${reader.words.later}</p>`)
}
