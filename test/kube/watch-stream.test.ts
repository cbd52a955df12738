import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ApiError, TransportError } from '../../src/kube/errors.ts';
import { LineSplitter } from '../../src/kube/line-splitter.ts';
import { WatchDecoder, type WatchHandler } from '../../src/kube/watch-stream.ts';

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const object = (name: string, version = '5') => ({
  metadata: { name, uid: `u-${name}`, resourceVersion: version },
});

const line = (type: string, content: unknown): string => `${JSON.stringify({ type, object: content })}\n`;

const status = (code: number, reason: string, message = 'why') => ({ kind: 'Status', code, reason, message });

/** A decoder, and what its handler heard. */
function decoder({
  confidential = false,
  onEvent = () => {},
  known = [],
}: {
  confidential?: boolean;
  onEvent?: () => void;
  known?: readonly string[];
} = {}) {
  const heard: string[] = [];
  let end: unknown = 'none';
  let over = 0;
  const handler: WatchHandler = {
    opened: () => void heard.push('opened'),
    event: (event) => {
      onEvent();
      heard.push(
        event.kind === 'bookmark'
          ? `bookmark ${event.resourceVersion}`
          : `${event.kind} ${event.object.metadata.name}`,
      );
    },
    isKnown: (version) => known.includes(version),
    progress: () => void heard.push('progress'),
    ended: (reason) => {
      end = reason;
      heard.push('ended');
    },
  };
  const info = { verb: 'watch', template: '/api/v1/secrets' } as const;
  const decoding = new WatchDecoder(info, confidential, handler, () => {
    over += 1;
  });
  return {
    decoding,
    heard,
    end: () => end,
    over: () => over,
    feed: (text: string) => decoding.data(Buffer.from(text)),
  };
}

const flow = { pause: () => {}, resume: () => {} };

function split(chunks: readonly Buffer[]): string[] {
  const splitter = new LineSplitter(1_000);
  const lines: string[] = [];
  for (const chunk of chunks) splitter.push(chunk, (one) => lines.push(one.toString()) > 0);
  return lines;
}

describe('a line splitter', () => {
  it('gives the same lines however the bytes are cut, in the middle of a character too', () => {
    const text = fc.stringMatching(/^[a-zäß水\u{1F511}{}":]{0,12}$/u);
    fc.assert(
      fc.property(
        fc.array(text, { maxLength: 8 }),
        fc.array(fc.nat(200), { maxLength: 12 }),
        (lines, cuts) => {
          const bytes = Buffer.from(lines.map((one) => `${one}\n`).join(''));
          const at = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)), bytes.length].sort(
            (a, b) => a - b,
          );
          const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
          expect(split(chunks)).toEqual(lines.filter((one) => one !== ''));
        },
      ),
    );
  });

  it('says when a line is longer than the bound, whole or in pieces', () => {
    expect(new LineSplitter(4).push(Buffer.from('1234\n12345\n'), () => true)).toBe(false);
    const pieces = new LineSplitter(4);
    expect(pieces.push(Buffer.from('123'), () => true)).toBe(true);
    expect(pieces.push(Buffer.from('45'), () => true)).toBe(false);
  });

  it('knows whether it is in the middle of a line', () => {
    const splitter = new LineSplitter(10);
    splitter.push(Buffer.from('a\nb'), () => true);
    expect(splitter.midLine).toBe(true);
    splitter.push(Buffer.from('\n'), () => true);
    expect(splitter.midLine).toBe(false);
  });
});

describe('a watch decoder', () => {
  it('turns lines into events, in order', () => {
    const { decoding, heard, feed } = decoder();
    decoding.opened(flow);
    feed(line('ADDED', object('a')) + line('MODIFIED', object('b')) + line('DELETED', object('c')));
    feed(line('BOOKMARK', { metadata: { resourceVersion: '77' } }));
    expect(heard).toEqual(['opened', 'applied a', 'applied b', 'deleted c', 'bookmark 77']);
  });

  it('does not read the news of a version that is known, but for a deletion', () => {
    const { decoding, heard, feed } = decoder({ known: ['5'] });
    decoding.opened(flow);
    feed(line('ADDED', object('a')) + line('MODIFIED', object('b')) + line('MODIFIED', object('c', '55')));
    feed(line('DELETED', object('d')));
    expect(heard).toEqual(['opened', 'bookmark 5', 'bookmark 5', 'applied c', 'deleted d']);
  });

  it.each([
    ['a label of that name', { labels: { resourceVersion: '5' } }],
    ['a text that looks like it', { annotations: { said: '{"resourceVersion":"5"}' } }],
  ])('reads news that has %s', (_, more) => {
    const { decoding, heard, feed } = decoder({ known: ['5'] });
    decoding.opened(flow);
    feed(line('MODIFIED', { metadata: { ...more, ...object('a', '6').metadata } }));
    expect(heard).toEqual(['opened', 'applied a']);
  });

  it('tells of progress once in a turn of the event loop', async () => {
    const { heard, feed } = decoder();
    feed(line('ADDED', object('a')));
    feed(line('ADDED', object('b')));
    await nextTurn();
    feed(line('ADDED', object('c')));
    await nextTurn();
    expect(heard).toEqual(['applied a', 'applied b', 'progress', 'applied c', 'progress']);
  });

  it('stops reading when it is busy for too long, and goes on in the next turn', async () => {
    const flowing: string[] = [];
    const { decoding, feed } = decoder({
      onEvent: () => {
        const until = performance.now() + 9;
        while (performance.now() < until);
      },
    });
    decoding.opened({ pause: () => flowing.push('pause'), resume: () => flowing.push('resume') });
    feed(line('ADDED', object('a')));
    expect(flowing).toEqual(['pause']);
    await nextTurn();
    expect(flowing).toEqual(['pause', 'resume']);
  });

  it('ends in good order where the server does', () => {
    const { decoding, heard, end } = decoder();
    decoding.ended(undefined);
    expect([heard, end()]).toEqual([['ended'], undefined]);
  });

  it('takes an end in the middle of a line for a broken connection, not for an event', () => {
    const { decoding, heard, end, feed } = decoder();
    feed(line('ADDED', object('a')).trimEnd());
    decoding.ended(undefined);
    expect(heard).toEqual(['ended']);
    expect(end()).toMatchObject({ step: 'reset' });
  });

  it('ends with the error that the server sends as an event, and reads no further', () => {
    const { heard, end, over, feed } = decoder();
    feed(line('ERROR', status(410, 'Expired', 'too old')) + line('ADDED', object('a')));
    expect(heard).toEqual(['ended']);
    expect(end()).toBeInstanceOf(ApiError);
    expect(end()).toMatchObject({ status: 410, reason: 'Expired' });
    expect(over()).toBe(1);
  });

  it.each([
    ['what is no JSON', 'hello\n', 'no JSON'],
    ['a type it does not know', line('RENAMED', object('a')), 'no known type'],
    ['an event without an object', line('ADDED', undefined), 'no object'],
    [
      'an object without a resourceVersion',
      line('ADDED', { metadata: { name: 'a', uid: 'b' } }),
      'no object',
    ],
    ['a bookmark without a version', line('BOOKMARK', { metadata: {} }), 'no resourceVersion'],
    ['a list in place of an event', '[]\n', 'no known type'],
  ])('ends at %s', (_, text, message) => {
    const { end, feed } = decoder();
    feed(text);
    expect(end()).toBeInstanceOf(TransportError);
    expect(end()).toMatchObject({ step: 'protocol', message: expect.stringContaining(message) });
  });

  it('ends when its handler throws, with what was thrown', () => {
    const { end, feed } = decoder({
      onEvent: () => {
        throw new Error('cannot take it');
      },
    });
    feed(line('ADDED', object('a')));
    expect(end()).toMatchObject({ step: 'protocol', message: expect.stringContaining('cannot take it') });
  });

  it('ends at a line over the bound', () => {
    const { end, over, feed } = decoder();
    for (let megabyte = 0; megabyte < 9; megabyte += 1) feed('x'.repeat(1024 * 1024));
    expect(end()).toMatchObject({ step: 'too-large' });
    expect(over()).toBe(1);
  });

  it('says nothing more once it was silenced', async () => {
    const { decoding, heard, feed } = decoder();
    feed(line('ADDED', object('a')));
    decoding.silence();
    feed(line('ADDED', object('b')));
    decoding.ended(undefined);
    await nextTurn();
    expect(heard).toEqual(['applied a']);
  });

  it('puts nothing of what it read into its errors where it may be a secret', () => {
    const broken = decoder({ confidential: true });
    broken.feed('{"type":"ADDED","object":{"data":{"k":"canary-1"\n');
    const refused = decoder({ confidential: true });
    refused.feed(line('ERROR', status(422, 'Invalid', 'Invalid value: "canary-2"')));
    for (const { end } of [broken, refused]) {
      const error = end();
      expect(error).toBeInstanceOf(Error);
      expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('canary');
      expect(error instanceof Error ? String(error.cause) : '').not.toContain('canary');
    }
  });

  it('decodes the same events however the bytes are cut', () => {
    const bytes = Buffer.from(['a', 'b', 'ü水', 'd'].map((name) => line('ADDED', object(name))).join(''));
    const whole = decoder();
    whole.decoding.data(bytes);
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 20 }), (cuts) => {
        const { decoding, heard } = decoder();
        const at = [0, ...cuts, bytes.length].sort((a, b) => a - b);
        for (const [index, end] of at.slice(1).entries()) decoding.data(bytes.subarray(at[index], end));
        expect(heard).toEqual(whole.heard);
      }),
    );
  });
});
