import { createSecureContext } from 'node:tls';
import type { Dispatcher } from 'undici';
import Pool from 'undici/lib/dispatcher/pool.js';
import ProxyAgent from 'undici/lib/dispatcher/proxy-agent.js';
import type { Connection, TlsIdentity } from './connection.ts';
import { Exchange, type ExchangeOptions, type Answer } from './exchange.ts';
import type { RequestInfo, TransportError } from './errors.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With the query, without the server's own path. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  readonly info: RequestInfo;
}

/** The API server closes connections after 90 s of idleness; we must be the first. */
const KEEP_ALIVE_MS = 55_000;
const CONNECT_TIMEOUT_MS = 10_000;
/** client-go's TCP keep-alive: a peer that is gone without a word is found within a minute. */
const TCP_KEEP_ALIVE_MS = 30_000;

/**
 * The connections to one API server under one TLS identity: a bounded pool for calls, and one of its own for
 * watches, so that these never take the place of calls. HTTP/1.1, as HTTP/2 is slower here (measured, see
 * docs/decisions/0003).
 */
export class Transport {
  readonly #origin: string;
  readonly #basePath: string;
  readonly #calls: Dispatcher;
  readonly #streams: Dispatcher;

  constructor(connection: Connection, tls: TlsIdentity, connections: number) {
    this.#origin = connection.server.origin;
    this.#basePath = connection.server.pathname.replace(/\/$/, '');
    this.#calls = dispatcher(connection, tls, connections);
    this.#streams = dispatcher(connection, tls, null);
  }

  /** The answer, or why there is none. With a sink it is a stream, which may take its time. */
  send(request: HttpRequest, options: ExchangeOptions): Promise<Answer | TransportError> {
    const exchange = new Exchange(request.info, options);
    const pool = options.sink === undefined ? this.#calls : this.#streams;
    pool.dispatch(
      {
        origin: this.#origin,
        path: this.#basePath + request.path,
        method: request.method,
        headers: request.headers,
        body: request.body ?? null,
        // The exchange has a deadline, which counts the wait for a connection too.
        headersTimeout: 0,
        bodyTimeout: 0,
      },
      exchange,
    );
    return exchange.outcome;
  }

  /** Lets calls and watches that are under way end, and then closes the connections. */
  async retire(): Promise<void> {
    await Promise.all([this.#calls.close(), this.#streams.close()]);
  }

  /** Ends everything at once. */
  async destroy(): Promise<void> {
    await Promise.all([this.#calls.destroy(), this.#streams.destroy()]);
  }
}

function dispatcher({ server, proxy }: Connection, tls: TlsIdentity, connections: number | null): Dispatcher {
  const secure = {
    // Made once: parsing the CA for every connection costs more than the handshake's own part here.
    secureContext: createSecureContext({ ca: tls.ca, cert: tls.cert, key: tls.key }),
    rejectUnauthorized: tls.verify,
    ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
  };
  const connect = {
    timeout: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
  };
  const common = { connections, allowH2: false, keepAliveTimeout: KEEP_ALIVE_MS, pipelining: 1 };
  return proxy === undefined
    ? new Pool(server.origin, { ...common, connect: { ...connect, ...secure } })
    : new ProxyAgent({ ...common, uri: proxy.href, connect, requestTls: secure });
}
