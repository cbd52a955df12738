import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { Agent, fetch as fetchWith } from 'undici';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Fault } from './fault.ts';
import { type FaultProxy, startProxy } from './proxy.ts';

const LINES = 'one\ntwo\nthree\n';

let upstream: Server;
let served: string[] = [];
let proxy: FaultProxy;

beforeAll(async () => {
  upstream = createServer((request, response) => {
    served.push(`${request.method} ${request.url} ${request.headers.authorization ?? ''}`);
    response.setHeader('X-Kept', 'yes');
    for (const line of LINES.match(/.*\n/g) ?? []) response.write(line);
    response.end();
  });
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
});
afterAll(() => {
  upstream.close();
  upstream.closeAllConnections();
});

beforeEach(async () => {
  const address = upstream.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  served = [];
  proxy = await startProxy({ server: `http://127.0.0.1:${address.port}` });
});
afterEach(() => proxy.close());

const get = (path = '/', init: RequestInit = {}): Promise<Response> => fetch(proxy.url + path, init);

/** The body, as far as it came, and how it ended within 300 ms. */
async function read(response: Response): Promise<{ body: string; end: 'complete' | 'broken' | 'open' }> {
  let body = '';
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const quiet = Promise.withResolvers<'open'>();
    const timer = setTimeout(() => quiet.resolve('open'), 300);
    try {
      const next = await Promise.race([reader?.read(), quiet.promise]);
      if (next === 'open') return { body, end: 'open' };
      if (next === undefined || next.done) return { body, end: 'complete' };
      body += next.value;
    } catch {
      return { body, end: 'broken' };
    } finally {
      clearTimeout(timer);
    }
  }
}

describe('the fault proxy', () => {
  it('passes requests, credentials and answers on', async () => {
    const response = await get('/a?b=c', { headers: { Authorization: 'Bearer t' } });
    expect(response.headers.get('x-kept')).toBe('yes');
    expect(await read(response)).toEqual({ body: LINES, end: 'complete' });
    expect(served).toEqual(['GET /a?b=c Bearer t']);
  });

  it('counts what it has seen', async () => {
    await get('/pods');
    await get('/pods?watch=1');
    await get('/pods', { method: 'DELETE' });
    expect(proxy.count({ path: /^\/pods/ })).toBe(3);
    expect(proxy.count({ watch: true })).toBe(1);
    expect(proxy.count({ method: 'DELETE' })).toBe(1);
  });

  it('answers itself, for the requests that match alone', async () => {
    proxy.add({
      match: { path: /^\/busy/, method: 'GET' },
      fault: { kind: 'respond', status: 429, headers: { 'retry-after': '7' }, body: { kind: 'Status' } },
    });
    const busy = await get('/busy');
    expect([busy.status, busy.headers.get('retry-after')]).toEqual([429, '7']);
    expect(await busy.json()).toEqual({ kind: 'Status' });
    expect((await get('/busy', { method: 'PUT' })).status).toBe(200);
    expect((await get('/free')).status).toBe(200);
    expect(served).toHaveLength(2);
  });

  it.each([
    ['the n-th', { kind: 'nth', n: 2 }, [200, 500, 200, 200]],
    ['the first ones', { kind: 'first', count: 2 }, [500, 500, 200, 200]],
    ['always', { kind: 'always' }, [500, 500, 500, 500]],
    ['by chance, the same for the same seed', { kind: 'chance', probability: 0.6 }, [200, 500, 500, 200]],
  ] as const)('applies a rule to %s', async (_, when, expected) => {
    const rule = proxy.add({ match: {}, when, fault: { kind: 'respond', status: 500 } });
    const statuses: number[] = [];
    for (let at = 0; at < 4; at += 1) statuses.push((await get()).status);
    expect(statuses).toEqual(expected);
    expect(rule.applied).toBe(expected.filter((status) => status === 500).length);
  });

  it('stops to apply a rule that was removed', async () => {
    const rule = proxy.add({ match: {}, fault: { kind: 'respond', status: 500 } });
    expect((await get()).status).toBe(500);
    rule.remove();
    expect((await get()).status).toBe(200);
  });

  it('resets a connection before the server sees the request', async () => {
    proxy.add({ match: {}, fault: { kind: 'reset' } });
    await expect(get()).rejects.toThrow('fetch failed');
    expect(served).toEqual([]);
  });

  it('loses the response of a request that the server has carried out', async () => {
    proxy.add({ match: {}, fault: { kind: 'lose-response' } });
    await expect(get('/', { method: 'POST' })).rejects.toThrow('fetch failed');
    expect(served).toEqual(['POST / ']);
  });

  it('never answers, and keeps the connection', async () => {
    proxy.add({ match: {}, fault: { kind: 'hang' } });
    await expect(get('/', { signal: AbortSignal.timeout(200) })).rejects.toThrow('timeout');
    expect(served).toEqual([]);
  });

  it('delays', async () => {
    proxy.add({ match: {}, fault: { kind: 'delay', ms: 150 } });
    const start = performance.now();
    expect((await get()).status).toBe(200);
    expect(performance.now() - start).toBeGreaterThanOrEqual(145);
  });

  it.each<[string, Omit<Fault & { kind: 'break-body' }, 'kind'>, Awaited<ReturnType<typeof read>>]>([
    [
      'ends in good order after a line',
      { after: { lines: 2 }, how: 'end' },
      { body: 'one\ntwo\n', end: 'complete' },
    ],
    ['cuts in the middle of a line', { after: { bytes: 6 }, how: 'cut' }, { body: 'one\ntw', end: 'broken' }],
    ['cuts before the first byte', { after: { bytes: 0 }, how: 'cut' }, { body: '', end: 'broken' }],
    ['stalls after a line', { after: { lines: 1 }, how: 'stall' }, { body: 'one\n', end: 'open' }],
  ])('%s', async (_, fault, expected) => {
    proxy.add({ match: {}, fault: { kind: 'break-body', ...fault } });
    expect(await read(await get())).toEqual(expected);
  });

  it('resets in the middle of a body', async () => {
    proxy.add({ match: {}, fault: { kind: 'break-body', after: { bytes: 6 }, how: 'reset' } });
    // What had arrived before a reset may be lost with it.
    expect((await read(await get())).end).toBe('broken');
  });

  it('lets the body drip', async () => {
    proxy.add({ match: {}, fault: { kind: 'drip', bytes: 2, everyMs: 20 } });
    const start = performance.now();
    expect(await read(await get())).toEqual({ body: LINES, end: 'complete' });
    expect(performance.now() - start).toBeGreaterThanOrEqual(((LINES.length - 2) / 2) * 20 * 0.9);
  });

  it('tells callers apart by their token', async () => {
    proxy.add({ match: { token: 'old' }, fault: { kind: 'respond', status: 401 } });
    const as = async (token: string): Promise<number> =>
      (await get('/', { headers: { Authorization: `Bearer ${token}` } })).status;
    expect([await as('old'), await as('new')]).toEqual([401, 200]);
  });

  it('forgets connections without a word: nothing comes on them, and new ones work', async () => {
    const [kept, other] = [new Agent({ connections: 1 }), new Agent()];
    await (await fetchWith(`${proxy.url}/`, { dispatcher: kept })).text();
    proxy.forgetAll();
    const signal = AbortSignal.timeout(200);
    await expect(fetchWith(`${proxy.url}/`, { dispatcher: kept, signal })).rejects.toThrow('timeout');
    expect((await fetchWith(`${proxy.url}/`, { dispatcher: other })).status).toBe(200);
    await Promise.all([kept.destroy(), other.destroy()]);
    expect(served).toHaveLength(2);
  });

  it('refuses connections for a while', async () => {
    await proxy.refuse();
    await expect(get()).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
    await proxy.accept();
    expect((await get()).status).toBe(200);
  });
});
