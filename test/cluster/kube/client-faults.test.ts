import { describe, expect, it } from 'vitest';
import { ApiError, TransportError } from '../../../src/kube/errors.ts';
import { configMaps } from '../../../src/kube/resource.ts';
import { eventually } from '../eventually.ts';
import { type Rig, rig } from './rig.ts';

const busy = (status: number, retryAfter?: string) =>
  ({
    kind: 'respond',
    status,
    ...(retryAfter === undefined ? {} : { headers: { 'retry-after': retryAfter } }),
    body: { kind: 'Status', code: status, reason: 'TooManyRequests' },
  }) as const;

const FIRST = { kind: 'first', count: 1 } as const;

const read = ({ client, namespace }: Rig, options = {}): Promise<unknown> =>
  client.get(configMaps, { namespace, name: 'none' }, options);

const write = ({ client, namespace }: Rig, options = {}): Promise<unknown> =>
  client.create(configMaps, namespace, { metadata: { name: 'a' } }, options);

const both = { read, write } as const;

async function failure(call: Promise<unknown>): Promise<unknown> {
  const nothing = Symbol('no failure');
  const error: unknown = await call.then(
    () => nothing,
    (thrown: unknown) => thrown,
  );
  if (error === nothing) throw new Error('it did not fail');
  return error;
}

describe('the client, when a server is busy', () => {
  it.each(['read', 'write'] as const)('does a %s again after the time that a 429 asks for', async (kind) => {
    const one = await rig();
    const rule = one.proxy.add({ match: {}, when: FIRST, fault: busy(429, '1') });
    await both[kind](one);
    expect(rule.applied).toBe(1);
    const [first, second] = one.proxy.seen;
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(990);
    expect(one.reports.map(({ code }) => code)).toEqual([429, kind === 'read' ? 404 : 201]);
  });

  it('does a read again after a 503, and no write, which may have happened', async () => {
    const one = await rig();
    one.proxy.add({ match: { method: 'GET' }, when: FIRST, fault: busy(503, '0') });
    expect(await read(one)).toBeUndefined();
    one.proxy.add({ match: { method: 'POST' }, when: FIRST, fault: busy(503, '0') });
    expect(await failure(write(one))).toMatchObject({ status: 503, retryAfterSeconds: 0 });
    expect(one.proxy.count({ method: 'POST' })).toBe(1);
  });

  it('leaves it to the caller without a time, or with one after the deadline', async () => {
    const one = await rig();
    const rule = one.proxy.add({ match: {}, fault: busy(429) });
    expect(await failure(read(one))).toBeInstanceOf(ApiError);
    rule.remove();
    one.proxy.add({ match: {}, fault: busy(429, '60') });
    expect(await failure(read(one))).toMatchObject({ status: 429, retryAfterSeconds: 60 });
    expect(one.proxy.seen).toHaveLength(2);
  });

  it('does not ask for ever', async () => {
    const one = await rig();
    one.proxy.add({ match: {}, fault: busy(429, '0') });
    expect(await failure(read(one))).toMatchObject({ status: 429 });
    expect(one.proxy.seen).toHaveLength(5);
  });

  it('does nothing again where the caller wants to know at once', async () => {
    const one = await rig();
    one.proxy.add({ match: {}, fault: busy(429, '0') });
    const { namespace } = one;
    expect(await failure(one.client.listPage(configMaps, { namespace, retry: false }))).toBeInstanceOf(
      ApiError,
    );
    expect(one.proxy.seen).toHaveLength(1);
  });

  it('says what a page of something on the way says, by its code', async () => {
    const one = await rig();
    one.proxy.add({ match: {}, fault: { kind: 'respond', status: 502, body: '<html>canary</html>' } });
    const error = await failure(read(one));
    expect(error).toMatchObject({ status: 502, reason: '' });
    expect(String(error)).not.toContain('canary');
  });
});

describe('the client, when a connection breaks', () => {
  it('does a read again, once or more', async () => {
    const one = await rig();
    one.proxy.add({ match: {}, when: { kind: 'first', count: 2 }, fault: { kind: 'reset' } });
    expect(await read(one)).toBeUndefined();
    expect(one.proxy.seen).toHaveLength(3);
  });

  it('does a read again that broke in the middle of its answer', async () => {
    const one = await rig();
    one.proxy.add({
      match: {},
      when: FIRST,
      fault: { kind: 'break-body', after: { bytes: 20 }, how: 'cut' },
    });
    expect(await read(one)).toBeUndefined();
  });

  it('does no write again, which may have happened', async () => {
    const one = await rig();
    one.proxy.add({ match: { method: 'POST' }, fault: { kind: 'lose-response' } });
    const error = await failure(write(one));
    expect(error).toBeInstanceOf(TransportError);
    expect(error).toMatchObject({ step: 'reset', verb: 'create' });
    expect(one.proxy.count({ method: 'POST' })).toBe(1);
    expect(await one.client.get(configMaps, { namespace: one.namespace, name: 'a' })).toBeDefined();
  });

  it.each(['read', 'write'] as const)('does a %s again for which there was no connection', async (kind) => {
    const one = await rig();
    await one.proxy.refuse();
    const call = both[kind](one);
    await eventually(() => expect(one.reports.length).toBeGreaterThanOrEqual(1));
    await one.proxy.accept();
    await call;
    expect(one.reports.at(0)?.code).toBe(0);
  });

  it('says so when there is none for long', async () => {
    const one = await rig();
    await one.proxy.refuse();
    expect(await failure(write(one))).toMatchObject({ step: 'connect' });
  });

  it('works again once the server is back, whatever was under way', async () => {
    const one = await rig();
    const calls = Array.from({ length: 100 }, () => read(one).catch((error: unknown) => error));
    one.proxy.breakAll();
    await Promise.all(calls);
    expect(await read(one)).toBeUndefined();
  });
});

describe('the client, when it takes too long', () => {
  it('gives up at the deadline', async () => {
    const one = await rig();
    one.proxy.add({ match: {}, fault: { kind: 'hang' } });
    const start = performance.now();
    expect(await failure(read(one, { timeoutMs: 200 }))).toMatchObject({ step: 'timeout' });
    expect(performance.now() - start).toBeLessThan(1_000);
  });

  it('counts the wait for a free connection in', async () => {
    const one = await rig();
    one.proxy.add({ match: { path: /hang/ }, fault: { kind: 'hang' } });
    const { client, namespace } = one;
    const hanging = Array.from({ length: 32 }, () =>
      failure(client.get(configMaps, { namespace, name: 'hang' }, { timeoutMs: 1_500 })),
    );
    expect(await failure(read(one, { timeoutMs: 100 }))).toMatchObject({ step: 'timeout' });
    await Promise.all(hanging);
    expect(await read(one)).toBeUndefined();
    // What had been given up was not sent after all.
    expect(one.proxy.count({ path: /none/ })).toBe(1);
  });

  it('ends when the caller gives up: in a call, in a queue, and in a pause', async () => {
    const one = await rig();
    const aborted = AbortSignal.abort();
    expect(await failure(read(one, { signal: aborted }))).toMatchObject({ step: 'aborted' });
    one.proxy.add({ match: { path: /none/ }, fault: { kind: 'hang' } });
    expect(await failure(read(one, { signal: AbortSignal.timeout(100) }))).toMatchObject({ step: 'aborted' });
    one.proxy.add({ match: { method: 'POST' }, fault: busy(429, '20') });
    expect(await failure(write(one, { signal: AbortSignal.timeout(100) }))).toMatchObject({
      step: 'aborted',
    });
  });

  it('does not let watches take the place of calls', async () => {
    const one = await rig();
    const { client, namespace } = one;
    const { resourceVersion } = await client.listPage(configMaps, { namespace });
    const handler = { opened: () => {}, event: () => {}, progress: () => {}, ended: () => {} };
    for (let at = 0; at < 40; at += 1) {
      client.watch(configMaps, { namespace, resourceVersion, timeoutSeconds: 60 }, handler);
    }
    await eventually(() => expect(one.proxy.openWatches).toBe(40));
    expect(await read(one, { timeoutMs: 2_000 })).toBeUndefined();
  });
});

describe('the client, with answers that are none', () => {
  it.each([
    ['no JSON', '{"kind": "ConfigMap", "data": "canary', 'no JSON'],
    ['no object', '{"kind": "ConfigMap"}', 'no Kubernetes object'],
  ])('says so for %s, and repeats nothing of it', async (_, body, message) => {
    const one = await rig();
    one.proxy.add({ match: {}, fault: { kind: 'respond', status: 200, body } });
    const error = await failure(read(one));
    expect(error).toMatchObject({ step: 'protocol', message: expect.stringContaining(message) });
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('canary');
  });

  it('says so for a list that is none', async () => {
    const one = await rig();
    one.proxy.add({ match: {}, fault: { kind: 'respond', status: 200, body: { metadata: {}, items: [] } } });
    expect(await failure(one.client.listPage(configMaps))).toMatchObject({ step: 'protocol' });
  });

  it('says so for an item of a list that is none, where it is asked for, and repeats nothing of it', async () => {
    const one = await rig();
    const good = { metadata: { name: 'good', uid: 'u', resourceVersion: '1' } };
    const body = { metadata: { resourceVersion: '1' }, items: [good, { data: 'canary' }] };
    one.proxy.add({ match: {}, fault: { kind: 'respond', status: 200, body } });
    const { items } = await one.client.listPage(configMaps);
    const taken: unknown[] = [];
    const error = await failure(
      (async () => {
        for (const item of items) taken.push(item);
      })(),
    );
    expect(taken).toEqual([good]);
    expect(error).toMatchObject({
      step: 'protocol',
      message: expect.stringContaining('no Kubernetes object'),
    });
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('canary');
  });

  it('stops to read what is too large', async () => {
    const one = await rig();
    one.proxy.add({ match: {}, fault: { kind: 'respond', status: 200, body: 'x'.repeat(17 * 1024 * 1024) } });
    expect(await failure(read(one))).toMatchObject({ step: 'too-large' });
  });
});
