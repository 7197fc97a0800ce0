/** Placeholder in the path of a step: the id of the subscription that this hand-over creates. */
export const successorInPath = '{successor}'

/** Placeholder for the invoice that the step before creates. */
export const invoiceInPlan = '{invoice}'

/** Placeholder for the schedule of the new subscription. */
export const scheduleInPlan = '{schedule}'
