import { describe, expect, it, vi } from 'vitest';
import { crashReport } from '../../src/cli/crash.ts';
import { createLogger, textLine } from '../../src/cli/log.ts';

function logged(format: 'json' | 'text', level: 'debug' | 'info' = 'info') {
  const chunks: string[] = [];
  const write = (chunk: string | Uint8Array): void => void chunks.push(String(chunk));
  const logger = createLogger({ format, level }, { isTerminal: false, colour: false, write });
  return {
    logger,
    chunks,
    out: () => {
      logger.flush();
      return chunks.join('');
    },
  };
}

describe('the log', () => {
  it('json: one object a line, with the level as a word', () => {
    const { logger, out } = logged('json');
    logger.info({ model: 'a/b' }, 'reconciled');
    logger.debug('not at this level');
    expect(JSON.parse(out())).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-.*Z$/),
      model: 'a/b',
      msg: 'reconciled',
    });
  });

  it('writes a line at once, and those that come right after it in one go, soon and without being told to', async () => {
    const { logger, chunks } = logged('json');
    logger.info('one');
    expect(chunks).toEqual([expect.stringMatching(/"one"}\n$/)]);
    logger.info('two');
    logger.info('three');
    expect(chunks).toHaveLength(1);
    await vi.waitFor(() => expect(chunks).toHaveLength(2));
    expect(chunks[1]).toMatch(/two.*\n.*three.*\n$/);
    logger.flush();
    expect(chunks).toHaveLength(2);
  });

  it('text: time, level, message, then the fields', () => {
    const { logger, out } = logged('text', 'debug');
    logger.warn({ did: ['create Secret', 'status'], ms: 3, err: 'a "b"\nc', none: {} }, 'it is tried again');
    expect(out()).toMatch(
      /^\S+Z WARN {2}it is tried again did=\["create Secret" status\] ms=3 err="a \\"b\\"\\nc" none=\{\}\n$/,
    );
  });

  it('text: a line stays a line, whatever is in it', () => {
    const line = textLine(JSON.stringify({ time: 't', level: 'info', msg: 'm', x: 'a\nlevel=error' }));
    expect(line).toBe('t INFO  m x="a\\nlevel=error"\n');
  });
});

describe('a crash', () => {
  const CANARY = 'canary-value';

  it.each([
    ['an error', new TypeError(CANARY)],
    ['one with a code', Object.assign(new Error(CANARY), { code: 'ERR_X', token: CANARY })],
    ['one that was caused by another', new Error('outer', { cause: new RangeError(CANARY) })],
    ['one whose message looks like a stack', new Error(`x\n    at ${CANARY} (file.js:1:1)`)],
    ['one whose message was changed', Object.assign(new Error(CANARY), { message: 'other' })],
    ['no error at all', CANARY],
    ['broken JSON', attempt(() => JSON.parse(`{"a": ${CANARY}`))],
  ])('is told without its message: %s', (_, error) => {
    expect(crashReport(error)).not.toContain(CANARY);
  });

  it('says what it was and where it came from', () => {
    const report = crashReport(Object.assign(new TypeError(CANARY), { code: 'ERR_X' }));
    expect(report).toMatch(/^TypeError ERR_X\n {4}at .*log\.test\.ts/);
  });
});

function attempt(what: () => unknown): unknown {
  try {
    return what();
  } catch (error) {
    return error;
  }
}
