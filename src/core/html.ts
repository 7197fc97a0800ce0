/**
 * HTML that is built only from escaped parts, so that no id or message can break a page.
 */
export interface Html {
  readonly html: string
}

type Part = Html | string | number | readonly Html[]

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (letter) => entities[letter] ?? letter)
}

/** Trusted markup that is not escaped: our own SVG or style sheet. */
export function raw(html: string): Html {
  return { html }
}

/**
 * html`<p>${text}</p>`: escapes texts and numbers, inserts other HTML unchanged and joins lists.
 */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  let whole = strings[0] ?? ''
  parts.forEach((part, index) => {
    whole += render(part) + (strings[index + 1] ?? '')
  })
  return { html: whole }
}

function render(part: Part): string {
  if (typeof part === 'string') return escapeHtml(part)
  if (typeof part === 'number') return String(part)
  if ('html' in part) return part.html
  return part.map((one) => one.html).join('\n')
}
