/**
 * The candidate nearest to the typed word, if it is near enough for "did you mean …".
 */
export function suggest(typed: string, candidates: Iterable<string>): string | undefined {
  let best: { candidate: string; distance: number } | undefined
  for (const candidate of candidates) {
    const distance = editDistance(typed.toLowerCase(), candidate.toLowerCase())
    if (best === undefined || distance < best.distance) best = { candidate, distance }
  }
  if (best === undefined) return undefined
  const near = Math.max(1, Math.floor(Math.max(typed.length, best.candidate.length) / 3))
  return best.distance <= near ? best.candidate : undefined
}

/** Edits (insert, drop, change, swap of neighbours) from one word to the other. */
function editDistance(a: string, b: string): number {
  // Words of this length are keys and flags; anything longer is not a typing slip worth the
  // quadratic cost.
  if (a.length > 64 || b.length > 64) return a === b ? 0 : 64
  const rows = [Array.from({ length: b.length + 1 }, (_, column) => column)]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = at(rows, i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1)
      let least = Math.min((row[j - 1] ?? 0) + 1, at(rows, i - 1, j) + 1, change)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, at(rows, i - 2, j - 2) + 1)
      row.push(least)
    }
    rows.push(row)
  }
  return at(rows, a.length, b.length)
}

function at(rows: readonly (readonly number[])[], i: number, j: number): number {
  return rows[i]?.[j] ?? 0
}
