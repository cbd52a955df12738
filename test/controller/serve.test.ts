import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Served, serve } from '../../src/controller/serve.ts';

let served: Served;
let ok = true;
beforeAll(async () => {
  const page = () => ({
    status: ok ? 200 : 503,
    type: 'text/plain; charset=utf-8',
    body: ok ? 'fine\n' : 'not fine\n',
  });
  served = await serve({ host: '127.0.0.1', port: 0 }, new Map([['/healthz', page]]));
});
afterAll(() => served[Symbol.asyncDispose]());

describe('the pages for probes', () => {
  it('say how it is at the moment', async () => {
    const first = await fetch(`${served.url}/healthz?verbose`);
    expect([first.status, await first.text()]).toEqual([200, 'fine\n']);
    ok = false;
    const second = await fetch(`${served.url}/healthz`);
    expect([second.status, await second.text()]).toEqual([503, 'not fine\n']);
    ok = true;
  });

  it('answer HEAD without a body', async () => {
    const response = await fetch(`${served.url}/healthz`, { method: 'HEAD' });
    expect([response.status, await response.text()]).toEqual([200, '']);
  });

  it('are all that there is, and only to be read', async () => {
    const missing = await fetch(`${served.url}/debug/pprof`);
    expect([missing.status, await missing.text()]).toEqual([404, 'not here; /healthz\n']);
    expect((await fetch(`${served.url}/healthz`, { method: 'POST', body: 'x' })).status).toBe(405);
  });

  it('do not wait for somebody who connects and says nothing', async () => {
    const { port } = new URL(served.url);
    const socket = connect(Number(port), '127.0.0.1');
    socket.write('GET /healthz HTTP/1.1\r\n');
    const { promise, resolve } = Promise.withResolvers<void>();
    socket.on('close', () => resolve());
    socket.on('data', () => {});
    await promise;
    expect((await fetch(`${served.url}/healthz`)).status).toBe(200);
  }, 10_000);

  it('can not be where somebody else is', async () => {
    const { port } = new URL(served.url);
    await expect(serve({ host: '127.0.0.1', port: Number(port) }, new Map())).rejects.toThrow('EADDRINUSE');
  });
});
