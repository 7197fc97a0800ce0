/** The document of format 1 in a file that an earlier command wrote; undefined for other text. */
export function storedDocument(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const read = JSON.parse(text) as Readonly<Record<string, unknown>> | null
    return read?.['format'] === 1 ? read : undefined
  } catch {
    return undefined
  }
}
