const wide =
  /^(?:\p{Emoji_Presentation}|\p{Extended_Pictographic}\uFE0F|[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE4F\uFF00-\uFF60\uFFE0-\uFFE6]|[\u{20000}-\u{3FFFD}])/u
const invisible = /^[\p{Mark}\p{Format}\p{Control}]+$/u
const plain = /^[ -~]*$/
const segments = new Intl.Segmenter()

/** How many columns of a terminal a text takes: two for wide letters and emoji, none for marks. */
export function displayWidth(text: string): number {
  if (plain.test(text)) return text.length
  let width = 0
  for (const { segment } of segments.segment(text)) if (!invisible.test(segment)) width += wide.test(segment) ? 2 : 1
  return width
}
