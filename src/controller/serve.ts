import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

// An import of it looks at all that it exports, and so loads Node's own WebSocket and fetch: 13 MiB that nobody uses.
const { createServer } = process.getBuiltinModule('node:http');

/** What is answered at a path. */
export type Page = () => { readonly status: number; readonly type: string; readonly body: string };

export interface Address {
  /** Undefined: all addresses of the machine. */
  readonly host: string | undefined;
  /** 0: any that is free. */
  readonly port: number;
}

export interface Served extends AsyncDisposable {
  /** `http://127.0.0.1:8081` */
  readonly url: string;
}

/** Who connects and says nothing is not waited for. */
const REQUEST_TIMEOUT_MS = 5_000;

/**
 * Serves pages to probes and scrapers.
 *
 * @throws NodeJS.ErrnoException when the address is taken or is none of this machine
 */
export async function serve({ host, port }: Address, pages: ReadonlyMap<string, Page>): Promise<Served> {
  const server = createServer(
    {
      requestTimeout: REQUEST_TIMEOUT_MS,
      headersTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: 1_000,
    },
    (request, response) => answer(request, response, pages),
  );
  server.listen({ port, ...(host === undefined ? {} : { host }) });
  await once(server, 'listening');
  return {
    url: urlOf(server.address()),
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function answer(
  { method, url = '' }: IncomingMessage,
  response: ServerResponse,
  pages: ReadonlyMap<string, Page>,
): void {
  const page = pages.get(url.replace(/\?.*/, ''));
  if (!page)
    return send(response, 404, 'text/plain; charset=utf-8', `not here; ${[...pages.keys()].join(', ')}\n`);
  if (method !== 'GET' && method !== 'HEAD')
    return send(response, 405, 'text/plain; charset=utf-8', 'GET only\n');
  const { status, type, body } = page();
  send(response, status, type, method === 'HEAD' ? '' : body);
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
  response.end(body);
}

function urlOf(address: AddressInfo | string | null): string {
  if (address === null || typeof address === 'string') throw new TypeError('a server without a port');
  const { family, address: host, port } = address;
  return `http://${family === 'IPv6' ? `[${host}]` : host}:${port}`;
}
