import { emptyable, fields, text } from '../kernel/params.ts'

const line = () => emptyable(text())

/** `address` of customers and billing details; `''` empties a line. */
export const addressFields = fields({
  city: line(),
  country: line(),
  line1: line(),
  line2: line(),
  postal_code: line(),
  state: line(),
})
