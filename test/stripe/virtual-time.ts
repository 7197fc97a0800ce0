import type { Timing } from '../../src/stripe/limits.ts'

/**
 * Time that passes only while every task sleeps: hours of waiting in milliseconds, the same on
 * every machine.
 */
export class VirtualTime implements Timing {
  #now = 0
  #busy = 0
  #sleepers: { until: number; wake: () => void }[] = []

  milliseconds(): number {
    return this.#now
  }

  sleep(milliseconds: number): Promise<void> {
    return new Promise((wake) => this.#sleepers.push({ until: this.#now + Math.max(milliseconds, 0), wake }))
  }

  /** Real work, whose length depends on this machine: no time passes before it is done. */
  async busy<T>(work: Promise<T>): Promise<T> {
    this.#busy++
    try {
      return await work
    } finally {
      this.#busy--
    }
  }

  /** Lets time pass until the work is done, and returns its result. */
  async run<T>(work: Promise<T>): Promise<T> {
    let over = false
    const finished = work.finally(() => (over = true))
    finished.catch(() => {})
    while (!over) {
      // Work that needs no time runs first.
      for (let turn = 0; turn < 3 || this.#busy > 0; turn++) await new Promise((resolve) => setImmediate(resolve))
      if (over) break
      const next = this.#sleepers.reduce((a, b) => (b.until < a.until ? b : a), { until: Infinity, wake: () => {} })
      if (next.until === Infinity) continue
      this.#now = next.until
      const woken = this.#sleepers.filter(({ until }) => until <= this.#now)
      this.#sleepers = this.#sleepers.filter(({ until }) => until > this.#now)
      for (const { wake } of woken) wake()
    }
    return finished
  }
}
