import { describe, expect, it } from 'vitest';
import { authFor, registryAuth } from '../../src/api/docker-config.ts';
import { reveal, SecretValue } from '../../src/api/secret-value.ts';

const valueOf = (text: string): SecretValue => new SecretValue(btoa(text));
const config = (auths: object): SecretValue => valueOf(JSON.stringify({ auths }));
const auth = btoa('user:password');

/** On a busy machine; without care these take minutes. */
const BUSY_MS = 20_000;

/** As long as a Secret may be. */
const LONG = 700_000;

const within = (ms: number, work: () => void): void => {
  const start = performance.now();
  work();
  expect(performance.now() - start).toBeLessThan(ms);
};

describe('a docker config that somebody made to keep the operator busy', { timeout: 3 * BUSY_MS }, () => {
  // a regular expression that looks for slashes at the end took half an hour
  it.each([
    ['slashes', '/'.repeat(LONG)],
    ['slashes in the middle', `a${'/'.repeat(LONG)}b`],
    ['line ends', '\n'.repeat(LONG)],
  ])('a registry of %s', (_, registry) => {
    within(BUSY_MS, () =>
      expect(authFor(config({ [registry]: { auth } }), 'registry.example')).toBeUndefined(),
    );
  });

  it('a value of line ends', () => {
    const lines = btoa(`${'\n'.repeat(LONG / 2)}x:y`);
    within(BUSY_MS, () => registryAuth(valueOf(lines), 'registry.example'));
  });

  it('is read once, however many registries are looked for', () => {
    const many = config(
      Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`r${index}.example`, { auth }])),
    );
    within(BUSY_MS, () => {
      for (let n = 0; n < 1_024; n++) expect(authFor(many, `https://R${n}.example/v2/`)).toBeDefined();
    });
  });

  it('names that mean something to JavaScript are registries like others', () => {
    for (const name of ['__proto__', 'constructor', 'toString']) {
      expect(authFor(config({}), name), name).toBeUndefined();
      const text = `{"auths":{"${name}":{"auth":"${auth}"}}}`;
      const found = authFor(valueOf(text), name);
      expect(found && reveal(found), name).toBe(auth);
    }
  });
});
