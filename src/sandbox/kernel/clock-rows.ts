// Test clocks: customers of an account who live at their own time.
// https://docs.stripe.com/billing/testing/test-clocks
import type { Instant } from '../../core/instant.ts'
import type { Row, TableDefinition } from './tables.ts'

export interface TestClockRow extends Row {
  readonly frozen_time: Instant
  readonly name: string | null
  readonly deletes_after: number
}

export const testClocks: TableDefinition<TestClockRow> = { name: 'test_clocks' }
