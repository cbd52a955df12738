/** mulberry32: numbers in [0, 1), the same ones for the same seed. */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Choices that a seed decides. */
export interface Dice {
  /** 0 to below `n`. */
  readonly upTo: (n: number) => number;
  readonly chance: (probability: number) => boolean;
  /** Undefined: there is none. */
  readonly pick: <T>(items: readonly T[]) => T | undefined;
}

export function diceFrom(seed: number): Dice {
  const random = randomFrom(seed);
  const upTo = (n: number): number => Math.floor(random() * n);
  return {
    upTo,
    chance: (probability) => random() < probability,
    pick: (items) => items[upTo(items.length)],
  };
}

/** A seed for this run, or the one of a run that is to be repeated. */
export function chaosSeed(): number {
  const given = process.env['TRUSS_SECRETS_CHAOS_SEED'];
  const seed = given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given);
  console.log(`TRUSS_SECRETS_CHAOS_SEED=${seed}`);
  return seed;
}
