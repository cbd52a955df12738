/** With fewer calls under way nobody waits: the server would be short of work. */
const MANY = 16;
const GATHER_MS = 8;

/**
 * While many calls are under way, those who made them go on together, some milliseconds after the first of them has its
 * answer. Each by itself would find the caches of the processor taken by the API server, and what they call next reaches
 * it together too (docs/performance.md).
 */
export class Turnstile {
  #underWay = 0;
  #turn: PromiseWithResolvers<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** A call begins. */
  enter(): void {
    this.#underWay += 1;
  }

  /** A call has its answer; whoever made it waits for what is returned, if anything. */
  leave(): Promise<void> | undefined {
    this.#underWay -= 1;
    if (this.#underWay < MANY) {
      this.#open();
      return undefined;
    }
    if (this.#turn === undefined) {
      this.#turn = Promise.withResolvers();
      this.#timer = setTimeout(() => this.#open(), GATHER_MS);
    }
    return this.#turn.promise;
  }

  #open(): void {
    clearTimeout(this.#timer);
    this.#turn?.resolve();
    this.#turn = undefined;
  }
}
