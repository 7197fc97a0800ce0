import type Stripe from 'stripe'
import { markDue } from './marks.ts'

/** Renewals that an ended hold may have kept back, and that are not accounted for yet. */
export interface Due {
  /** When the hold began, unix seconds; 0 when unknown. */
  readonly since: number
  /** What the policy says about them. */
  readonly gap: 'invoice' | 'leave'
}

/** The mark of a released subscription whose periods are not accounted for; null without it. */
export function readDue({ metadata }: Pick<Stripe.Subscription, 'metadata'>): Due | null {
  const mark = metadata[markDue]
  if (mark === undefined || mark === '') return null
  const [, since, gap] = /^(\d{1,12}) (invoice|leave)$/.exec(mark) ?? []
  return { since: Number(since ?? 0), gap: gap === 'invoice' ? gap : 'leave' }
}

export function dueMark({ since, gap }: Due): string {
  return `${since} ${gap}`
}
