/** Command lines in a document: lines of code blocks, and code in a sentence. */
export function commandLines(text: string): string[] {
  const blocks = [...text.matchAll(/```[^\n]*\n([\s\S]*?)```/g)].map((match) => match[1] ?? '')
  const fromBlocks = blocks.flatMap((block) => block.split('\n')).map((line) => line.trim().replace(/^\$ /, ''))
  const fromSentences = [...text.replaceAll(/```[\s\S]*?```/g, '').matchAll(/`([^`\n]+)`/g)].map(
    (match) => match[1] ?? '',
  )
  return [...fromBlocks, ...fromSentences]
    .flatMap((line) => line.split(' && '))
    .map((line) => line.trim().replace(/^(npx |npm exec (--no -- )?)/, ''))
    .filter((line) => line.startsWith('crossbill '))
    .map((line) => line.replace(/\s+(#|\||>|2>).*$/, ''))
}

/** Splits words as a shell does. Placeholders in capitals replace values. */
export function words(line: string): string[] {
  return (line.match(/'[^']*'|"[^"]*"|\S+/g) ?? []).slice(1).map((word) => word.replaceAll(/^['"]|['"]$/g, ''))
}
