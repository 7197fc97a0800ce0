import { cpus, totalmem } from 'node:os'
import type { Figure } from './figure.ts'

/** The figures of one bench as a section of `docs/figures.md`. */
export function sectionOf(name: string, figures: readonly Figure[]): string {
  const rows = figures.map(
    ({ what, measured, reach, ok }) => `| ${what} | ${measured} | ${reach} | ${ok ? 'reached' : '**missed**'} |`,
  )
  return `## ${name}

${new Date().toISOString().slice(0, 10)}, ${machine()}

| figure | measured | goal | |
|---|---|---|---|
${rows.join('\n')}
`
}

/** `2 × Intel Xeon, 24 GiB, linux, Node v24.1.0` */
function machine(): string {
  const processors = cpus()
  const gibibytes = Math.round(totalmem() / 2 ** 30)
  const model = processors[0]?.model.trim() ?? 'unknown'
  return `${processors.length} × ${model}, ${gibibytes} GiB, ${process.platform}, Node ${process.version}`
}

/** The page with this section in place of the earlier one of the same bench. */
export function withSection(page: string, names: readonly string[], section: string): string {
  const [head = '', ...parts] = page.split(/^(?=## )/m).map((part) => `${part.trimEnd()}\n`)
  const place = (part: string): number => names.indexOf(/^## (.*)$/m.exec(part)?.[1] ?? '')
  const others = parts.filter((part) => place(part) !== place(section))
  const sections = [...others, section].toSorted((a, b) => place(a) - place(b))
  return [head, ...sections].join('\n')
}
