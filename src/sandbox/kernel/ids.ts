// Ids and random numbers that depend only on the seed: the same world gives the same ids.

const letters = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/**
 * The length of Stripe's ids after the prefix; all others have 24 characters and begin with `1`.
 */
const lengths: Readonly<Record<string, number>> = { cus: 14, prod: 14, '': 8, req: 14, si: 14, card: 24 }

/** The n-th id of a prefix in a space (an account). `''` gives a bare coupon id. */
export function idFor(seed: number, space: string, prefix: string, n: number): string {
  const length = lengths[prefix] ?? 24
  const next = generator(seed, `${space}/${prefix}/${n}`)
  let body = length === 24 ? '1' : ''
  while (body.length < length) body += letters[Math.floor(next() * letters.length)] ?? '0'
  return prefix === '' ? body : `${prefix}_${body}`
}

/** Numbers in [0, 1) from a seed and a label: sfc32 over a string hash. Not for secrets. */
export function generator(seed: number, label: string): () => number {
  let [a, b, c, d] = hash(`${seed}:${label}`)
  const next = () => {
    const t = (((a + b) | 0) + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + t) | 0
    return (t >>> 0) / 4_294_967_296
  }
  for (let round = 0; round < 12; round++) next()
  return next
}

function hash(text: string): [number, number, number, number] {
  let [a, b, c, d] = [0x9e3779b9, 0x243f6a88, 0xb7e15162, 0xdeadbeef]
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    a = Math.imul(a ^ code, 597_399_067)
    b = Math.imul(b ^ code, 2_869_860_233)
    c = Math.imul(c ^ code, 951_274_213)
    d = Math.imul(d ^ code, 2_716_044_179)
  }
  return [a, b, c, d]
}
