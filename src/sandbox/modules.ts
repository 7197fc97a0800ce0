import type { Module } from './kernel/module.ts'
import { faultModule } from './faults.ts'
import { kajabiModule } from './kajabi/module.ts'
import { accountModule } from './stripe/account.ts'
import { eventModule } from './stripe/events.ts'

/** Everything a world is made of. A resource file is known by being named here. */
export const modules: readonly Module[] = [accountModule, eventModule, kajabiModule, faultModule]
