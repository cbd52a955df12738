import { startWorkers, type WorkersOptions, type WorkOptions, type Workers } from '../kube/workers.ts';

/** Workers that are there as long as this process leads; the numbers go on over all the times that it does. */
export class Crew {
  readonly #options: WorkersOptions<string>;
  #workers: Workers | undefined;
  #wanted = false;
  /** The work in hand of workers that take no more. */
  #ending: Promise<void> = Promise.resolve();
  #past = { added: 0, retries: 0 };

  constructor(options: WorkersOptions<string>) {
    this.#options = options;
  }

  /** Without workers nothing: whoever starts them adds everything. */
  add(key: string, options?: WorkOptions): void {
    this.#workers?.add(key, options);
  }

  get stats(): Workers['stats'] {
    const now = this.#workers?.stats ?? { depth: 0, delayed: 0, inHand: 0, added: 0, retries: 0 };
    return { ...now, added: now.added + this.#past.added, retries: now.retries + this.#past.retries };
  }

  /** Begins with these keys, as soon as what was in hand before is finished: no key is worked on twice at a time. */
  async start(keys: () => Iterable<string>): Promise<void> {
    this.#wanted = true;
    await this.#ending;
    if (!this.#wanted || this.#workers) return;
    this.#workers = startWorkers(this.#options);
    for (const key of keys()) this.#workers.add(key, { priority: 'low' });
  }

  /** Takes no more keys; resolves when the work in hand is finished. */
  async stop(): Promise<void> {
    this.#wanted = false;
    const workers = this.#workers;
    if (workers) {
      this.#workers = undefined;
      this.#ending = workers.stop();
      const { added, retries } = workers.stats;
      this.#past = { added: this.#past.added + added, retries: this.#past.retries + retries };
    }
    await this.#ending;
  }
}
