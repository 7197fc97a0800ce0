import type { Module } from '../../kernel/module.ts'
import { chargeModule } from '../charges.ts'
import { creditNoteModule } from '../credit-notes.ts'
import { invoiceItemModule } from '../invoice-items.ts'
import { invoiceModule } from '../invoices.ts'
import { refundModule } from '../refunds.ts'
import { subscriptionItemModule } from '../subscription-items.ts'
import { scheduleModule } from '../subscription-schedules.ts'
import { subscriptionModule } from '../subscriptions.ts'

/** All modules of billing. */
export const billingModules: readonly Module[] = [
  subscriptionModule,
  subscriptionItemModule,
  scheduleModule,
  invoiceModule,
  invoiceItemModule,
  chargeModule,
  refundModule,
  creditNoteModule,
]
