import type { Shell } from '../shell.ts'

/** Prints the demo's text: on stdout for people, on stderr when the result is JSON. */
export interface Teller {
  act(title: string): void
  say(...lines: readonly string[]): void
  /** Shows a command and the beginning of its output. */
  command(words: readonly string[], printed: string, lines?: number): void
}

const width = 100

export function openTeller(shell: Shell): Teller {
  const { paint } = shell
  const write = shell.format === 'json' ? shell.say : shell.out
  let acts = 0
  let blank = true
  const tell = (line: string): void => {
    // No two empty lines in a row.
    if (line === '' && blank) return
    blank = line === ''
    write(line)
  }
  return {
    act(title) {
      acts += 1
      for (const line of ['', paint.bold(`${acts}. ${title}`), '']) tell(line)
    },
    say: (...lines) => lines.flatMap(wrap).forEach(tell),
    command(words, printed, lines = 12) {
      const all = printed.trimEnd().split('\n')
      const shown = all.length <= lines + 1 ? all : all.slice(0, lines)
      tell('')
      tell(paint.cyan(`  $ crossbill ${words.join(' ')}`))
      for (const line of shown) tell(paint.dim(`  │ ${line}`.trimEnd()))
      if (shown.length < all.length) tell(paint.dim(`  │ … ${all.length - shown.length} more lines`))
      tell('')
    },
  }
}

/** Breaks a paragraph between words; a line of a list keeps its indentation. */
function wrap(text: string): string[] {
  if (text.startsWith(' ')) return [text]
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + word.length >= width) {
      lines.push(line)
      line = ''
    }
    line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}
