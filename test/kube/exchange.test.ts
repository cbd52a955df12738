import { describe, expect, it } from 'vitest';
import { Exchange, type Flow } from '../../src/kube/exchange.ts';

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A stream that has begun, what its sink heard, and what its connection was told. */
function stream({ pauseAt = '' } = {}) {
  const heard: string[] = [];
  let flow: Flow | undefined;
  const sink = {
    opened: (opened: Flow) => {
      flow = opened;
    },
    data: (chunk: Buffer) => {
      heard.push(chunk.toString());
      if (chunk.toString() === pauseAt) flow?.pause();
    },
    ended: (error: Error | undefined) => void heard.push(error ? 'broken' : 'ended'),
  };
  const told: string[] = [];
  const controller = {
    aborted: false,
    paused: false,
    reason: null,
    abort: () => void told.push('abort'),
    pause: () => void told.push('pause'),
    resume: () => void told.push('resume'),
  };
  const options = { timeoutMs: 60_000, signal: undefined, maxBytes: 100, sink };
  const exchange = new Exchange({ verb: 'watch', template: '/api/v1/secrets' }, options);
  exchange.onRequestStart(controller);
  exchange.onResponseStart(controller, 200, {});
  return {
    heard,
    told,
    resume: () => flow?.resume(),
    come: (text: string) => exchange.onResponseData(controller, Buffer.from(text)),
    end: () => exchange.onResponseEnd(),
    breakOff: () => exchange.onResponseError(controller, new Error('gone')),
  };
}

describe('a stream', () => {
  it('hands on what came in a turn of the event loop at its end, when the answers of that turn are in', async () => {
    const { heard, come } = stream();
    come('a');
    come('b');
    await Promise.resolve().then(() => heard.push('an answer to a write'));
    expect(heard).toEqual(['an answer to a write']);
    await nextTurn();
    expect(heard).toEqual(['an answer to a write', 'a', 'b']);
    come('c');
    await nextTurn();
    expect(heard.at(-1)).toBe('c');
  });

  it('keeps what came while its sink has no room, and goes on with it', async () => {
    const { heard, told, come, resume } = stream({ pauseAt: 'a' });
    come('a');
    come('b');
    await nextTurn();
    come('c');
    await nextTurn();
    expect([heard, told]).toEqual([['a'], ['pause']]);
    resume();
    expect([heard, told]).toEqual([
      ['a', 'b', 'c'],
      ['pause', 'resume'],
    ]);
  });

  it('does not let more come when its sink has no room again at once', async () => {
    const { heard, told, come, resume } = stream({ pauseAt: 'a' });
    come('a');
    come('a');
    await nextTurn();
    resume();
    expect([heard, told]).toEqual([
      ['a', 'a'],
      ['pause', 'pause'],
    ]);
  });

  it.each([
    ['ends', 'ended'],
    ['breaks off', 'broken'],
  ] as const)('hands all of it on before it %s, whether or not there is room', async (_, how) => {
    const { heard, come, end, breakOff } = stream({ pauseAt: 'a' });
    come('a');
    come('a');
    come('b');
    if (how === 'ended') end();
    else breakOff();
    expect(heard).toEqual(['a', 'a', 'b', how]);
    await nextTurn();
    expect(heard).toHaveLength(4);
  });
});
