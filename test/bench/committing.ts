import type { Store } from '../../src/engine/ports.ts'
import type { VirtualTime } from '../stripe/virtual-time.ts'

/** A write of the store waits for a commit that others share. */
const commitMilliseconds = 20

/** The store, whose writes take the time of a commit while the bench counts. */
export function committing<S extends Store>(store: S, time: VirtualTime, isCounting: () => boolean): S {
  return new Proxy(store, {
    get(of, name) {
      const value: unknown = Reflect.get(of, name)
      if (typeof value !== 'function') return value
      const isWrite = /^(?:put|journalStart|journalEnd)/.test(String(name))
      return (...given: unknown[]): unknown => {
        const answer: unknown = Reflect.apply(value, of, given)
        if (!(answer instanceof Promise)) return answer
        const done = time.busy(answer)
        if (!isWrite || !isCounting()) return done
        return (async () => {
          const written: unknown = await done
          await time.sleep(commitMilliseconds)
          return written
        })()
      }
    },
  })
}
