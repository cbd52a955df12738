/** One measured value. `suffix` is what a histogram appends to its name: `_bucket`, `_sum`, `_count`. */
export interface Sample {
  readonly suffix?: string;
  readonly labels: readonly (readonly [name: string, value: string])[];
  readonly value: number;
}

/** Everything under one name, as Prometheus reads it. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** As of now: asked for at each scrape. */
  samples(): Iterable<Sample>;
}

/** Values of the labels, in the order of their names: whoever counts has to have a bounded set of them. */
type LabelValues<L extends readonly string[]> = { readonly [K in keyof L]: string };

interface Definition<L extends readonly string[]> {
  readonly name: string;
  readonly help: string;
  readonly labels: L;
}

/** Joins label values to a key: no label value holds a NUL. */
const keyOf = (values: readonly string[]): string => values.join('\0');

const pairs = (names: readonly string[], values: readonly string[]): Sample['labels'] =>
  names.map((name, index) => [name, values[index] ?? '']);

/** Counts up. */
export class Counter<const L extends readonly string[]> implements Family {
  readonly type = 'counter';
  readonly name: string;
  readonly help: string;
  readonly #labels: L;
  readonly #values = new Map<string, { readonly labels: LabelValues<L>; value: number }>();

  constructor({ name, help, labels }: Definition<L>) {
    this.name = name;
    this.help = help;
    this.#labels = labels;
  }

  add(labels: LabelValues<L>): void {
    this.of(labels).value += 1;
  }

  /** The count under these labels, 0 at first, for who counts all the time: to look it up costs more than to count. */
  of(labels: LabelValues<L>): { value: number } {
    const key = keyOf(labels);
    let count = this.#values.get(key);
    if (!count) {
      count = { labels, value: 0 };
      this.#values.set(key, count);
    }
    return count;
  }

  *samples(): Generator<Sample, void, void> {
    for (const { labels, value } of this.#values.values())
      yield { labels: pairs(this.#labels, labels), value };
  }
}

class Distribution<L extends readonly string[]> {
  readonly labels: LabelValues<L>;
  /** How many fell between the bucket before and this one. */
  readonly counts: Float64Array;
  readonly #buckets: readonly number[];
  sum = 0;
  count = 0;

  constructor(labels: LabelValues<L>, buckets: readonly number[]) {
    this.labels = labels;
    this.counts = new Float64Array(buckets.length);
    this.#buckets = buckets;
  }

  observe(value: number): void {
    this.sum += value;
    this.count += 1;
    const bucket = this.#buckets.findIndex((bound) => value <= bound);
    if (bucket !== -1) this.counts[bucket] = (this.counts[bucket] ?? 0) + 1;
  }
}

/** How values are distributed over buckets, the upper bounds of which are given, ascending. */
export class Histogram<const L extends readonly string[]> implements Family {
  readonly type = 'histogram';
  readonly name: string;
  readonly help: string;
  readonly #labels: L;
  readonly #buckets: readonly number[];
  readonly #values = new Map<string, Distribution<L>>();

  constructor({ name, help, labels, buckets }: Definition<L> & { readonly buckets: readonly number[] }) {
    this.name = name;
    this.help = help;
    this.#labels = labels;
    this.#buckets = buckets;
  }

  observe(labels: LabelValues<L>, value: number): void {
    this.of(labels).observe(value);
  }

  /** The distribution under these labels, empty at first, for who observes all the time. */
  of(labels: LabelValues<L>): { observe(value: number): void } {
    const key = keyOf(labels);
    let known = this.#values.get(key);
    if (!known) {
      known = new Distribution(labels, this.#buckets);
      this.#values.set(key, known);
    }
    return known;
  }

  *samples(): Generator<Sample, void, void> {
    for (const { labels: values, counts, sum, count } of this.#values.values()) {
      const labels = pairs(this.#labels, values);
      let below = 0;
      for (const [index, bound] of this.#buckets.entries()) {
        below += counts[index] ?? 0;
        yield { suffix: '_bucket', labels: [...labels, ['le', String(bound)]], value: below };
      }
      yield { suffix: '_bucket', labels: [...labels, ['le', '+Inf']], value: count };
      yield { suffix: '_sum', labels, value: sum };
      yield { suffix: '_count', labels, value: count };
    }
  }
}

/** What `read` says at a scrape; a number alone has no labels. Undefined: nothing to say. */
export function measured(
  type: 'counter' | 'gauge',
  name: string,
  help: string,
  read: () => number | undefined | Iterable<Omit<Sample, 'suffix'>>,
): Family {
  return {
    name,
    help,
    type,
    *samples() {
      const value = read();
      if (typeof value === 'number') yield { labels: [], value };
      else if (value !== undefined) yield* value;
    },
  };
}
