/** Placeholder in the path of a step for the id of the subscription that this hand-over creates. */
export const successorInPath = '{successor}'

/** The same for the invoice that the step before created. */
export const invoiceInPlan = '{invoice}'

/** The same for the schedule of the new subscription. */
export const scheduleInPlan = '{schedule}'
