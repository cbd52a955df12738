import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { NO_CORPUS, realConfigs } from './corpus.ts';
import { documents, encodings, glitched, scalars } from './pyyaml/documents.ts';
import { ourVerdict } from './pyyaml/ours.ts';
import { findOracle, type Oracle } from './pyyaml/oracle.ts';

/** Debian's packages may have to be fetched first. */
const START_MS = 180_000;
const RUN_MS = 120_000;
const RUNS = 3000;

describe('our reader and PyYAML', { timeout: RUN_MS }, () => {
  let oracle: Oracle | undefined;
  beforeAll(async () => {
    oracle = await findOracle();
  }, START_MS);
  afterAll(() => oracle?.stop());

  const running = (ctx: TestContext): Oracle =>
    oracle ?? ctx.skip('neither Debian nor this machine has PyYAML');

  /** The same nodes with the same tags and places, the same data, or an error, at the same place where both say one. */
  async function agree(bytes: Uint8Array, asked: Oracle): Promise<void> {
    const theirs = await asked.ask(bytes);
    const ours = ourVerdict(bytes);
    expect(ours.error !== undefined, JSON.stringify({ theirs, ours })).toBe(theirs.error !== undefined);
    if (theirs.nodes !== undefined) expect(ours.nodes).toEqual(theirs.nodes);
    expect(ours.data).toEqual(theirs.data);
    if (theirs.at && ours.at) expect(ours.at).toEqual(theirs.at);
  }

  it('PyYAML is of version 6', (ctx) => {
    expect(running(ctx).version).toMatch(/^6\./);
  });

  it('agree on documents that use all of YAML 1.1', async (ctx) => {
    const asked = running(ctx);
    await fc.assert(
      fc.asyncProperty(documents, (text) => agree(Buffer.from(text), asked)),
      { numRuns: RUNS },
    );
  });

  it.for([
    '!!str\n  =: []',
    '!!str {=: {=: []}}',
    '!!str {=: {a: b}}',
    '!!int {=: {=: [1]}}',
    '!!str {a: b}',
    '{=: []}',
    '&a !!str {=: *a}',
  ])('agree on the default value of a mapping: %j', async (text, ctx) => {
    await agree(Buffer.from(text), running(ctx));
  });

  it.for([
    '<<: [{<<: a}, b]',
    '<<: [{a: b}, c, {<<: d}]',
    '&a <<: [{<<: {b: c}}, {b: d}]',
    '&a {<<: [*a, {b: c}], d: e}',
    '&a {<<: [{<<: *a, f: g}, *a, {<<: *a}], d: e, <<: *a}',
  ])('agree on what is merged, and on the first error: %j', async (text, ctx) => {
    await agree(Buffer.from(text), running(ctx));
  });

  it('agree on what is text, a number, a date...', async (ctx) => {
    const asked = running(ctx);
    await fc.assert(
      fc.asyncProperty(scalars, (texts) =>
        agree(Buffer.from(texts.map((text) => `- ${text}\n`).join('')), asked),
      ),
      { numRuns: RUNS },
    );
  });

  it('agree on encodings', async (ctx) => {
    const asked = running(ctx);
    await fc.assert(
      fc.asyncProperty(documents, encodings, (text, encode) => agree(encode(text), asked)),
      { numRuns: RUNS / 3 },
    );
  });

  it('agree on random bytes', async (ctx) => {
    const asked = running(ctx);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 40 }), (bytes) => agree(bytes, asked)),
      { numRuns: RUNS / 3 },
    );
  });

  it('agree on real files', async (ctx) => {
    const configs = realConfigs();
    if (configs.length === 0) ctx.skip(NO_CORPUS);
    for (const { bytes } of configs) await agree(bytes, running(ctx));
  });

  it('agree on real files with a few characters changed, or cut off', async (ctx) => {
    const asked = running(ctx);
    const configs = realConfigs();
    if (configs.length === 0) ctx.skip(NO_CORPUS);
    const texts = configs.map(({ bytes }) => Buffer.from(bytes).toString());
    await fc.assert(
      fc.asyncProperty(glitched(fc.constantFrom(...texts)), (text) => agree(Buffer.from(text), asked)),
      { numRuns: RUNS },
    );
  });

  it.for([480, 500])('agree on collections that are nested %i deep', async (depth, ctx) => {
    const asked = running(ctx);
    for (const text of [
      '- '.repeat(depth),
      '['.repeat(depth) + ']'.repeat(depth),
      '{a: '.repeat(depth) + '}'.repeat(depth),
      Array.from({ length: depth }, (_, level) => `${' '.repeat(level)}a:`).join('\n'),
    ]) {
      await agree(Buffer.from(text), asked);
    }
  });
});
