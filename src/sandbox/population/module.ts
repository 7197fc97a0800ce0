import type { Module } from '../kernel/module.ts'
import { hearReminder, paySent } from './habits.ts'
import { hearOfEnd, revokeOld, signUpLate } from './old-doors.ts'
import { chargeOutside } from './outside-plans.ts'

/** What happens in a school without requests after it is built. */
export const schoolModule: Module = {
  due: {
    'school.outside_charge': { rank: 150, run: chargeOutside },
    'school.late_signup': { rank: 40, run: signUpLate },
    'school.pay_sent': { rank: 60, run: paySent },
    'school.old_revoke': { rank: 210, run: revokeOld },
  },
  listener: {
    who: () => [],
    dispatch: () => undefined,
    hears: (context, type, object) => {
      if (type === 'customer.subscription.deleted') hearOfEnd(context, object)
      if (type === 'invoice.overdue') hearReminder(context, object())
    },
  },
}
