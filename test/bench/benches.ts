import { accept } from './accept.ts'
import { backlog } from './backlog.ts'
import { cancel } from './cancel.ts'
import { catalog } from './catalog.ts'
import { catalogWork } from './catalog-work.ts'
import type { Figure } from './figure.ts'
import { move } from './move.ts'
import { people } from './people.ts'
import { refresh } from './refresh.ts'
import { rehearsal } from './rehearsal.ts'
import { scale } from './scale.ts'
import { start } from './start.ts'
import { status } from './status.ts'
import { steady } from './steady.ts'

/** Every bench, in the order of `docs/figures.md`. */
export const benches: Readonly<Record<string, () => Promise<Figure | Figure[]> | Figure | Figure[]>> = {
  start,
  accept,
  steady,
  cancel,
  backlog,
  status,
  refresh,
  catalog,
  catalogWork,
  move,
  people,
  scale,
  rehearsal,
}
