import { formatInstant, type Instant } from '../../core/instant.ts'

/** `24,349`, `1,171,278.08 usd`: groups the whole digits in threes and changes nothing else. */
export function withCommas(value: number | string): string {
  const [, sign = '', whole = '', rest = ''] = /^(-?)(\d+)(.*)$/s.exec(String(value)) ?? []
  return whole === '' ? String(value) : `${sign}${whole.replaceAll(/\B(?=(\d{3})+$)/g, ',')}${rest}`
}

/** `2026-12-31 09:15 UTC`, without seconds. */
export function moment(at: Instant): string {
  return `${formatInstant(at).slice(0, 16).replace('T', ' ')} UTC`
}

/** `us/wave-01` of `subscribers/us/wave-01.yaml`. */
export function waveName(file: string): string {
  return file.replace(/^subscribers\//, '').replace(/\.yaml$/, '')
}
