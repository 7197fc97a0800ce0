const mostNames = 5

/** `a, b, c and 4 more` */
export function namesInText(names: readonly string[]): string {
  const shown = names.slice(0, mostNames).join(', ')
  return names.length > mostNames ? `${shown} and ${names.length - mostNames} more` : shown
}

/** `1 payment link`, `3 payment links` */
export function countInText(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
