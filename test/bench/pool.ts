import { createSecureContext } from 'node:tls';
import { type Dispatcher, Pool } from 'undici';
import { MANAGER } from '../../src/api/names.ts';
import type { Access } from '../cluster/api.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** More connections give latency, not rate (measured with 8 to 128). */
const CONNECTIONS = 32;

export class HttpFailed extends Error {
  override readonly name = 'HttpFailed';
}

/** The yardstick's way to the API server: a keep-alive pool and nothing else, on purpose not that of src/kube. */
export interface BarePool {
  /** The body of the answer, unread; throws {@link HttpFailed} from 400 on. */
  send(method: Method, path: string, body?: object | string, type?: string): Promise<Buffer>;
  get<T>(path: string): Promise<T>;
  /** Hands on what comes in until the pool is closed. Resolves when the server has answered. */
  stream(path: string, onData: (chunk: Buffer) => void): Promise<void>;
  close(): Promise<void>;
}

export function barePool({ server, ca, token }: Access, connections = CONNECTIONS): BarePool {
  const connect = { secureContext: createSecureContext(ca === undefined ? {} : { ca }) };
  const open = (limit: number | null): Pool =>
    new Pool(server, { connections: limit, pipelining: 1, allowH2: false, connect });
  const calls = open(connections);
  const streams = open(null);
  const headers = {
    authorization: `Bearer ${token ?? ''}`,
    accept: 'application/json',
    // the field manager of what it writes: with another one the two would take fields from each other, round after round
    'user-agent': MANAGER,
  };

  const send: BarePool['send'] = async (method, path, body, type = 'application/json') => {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    const chunks: Buffer[] = [];
    let status = 0;
    calls.dispatch(
      {
        method,
        path,
        headers: body === undefined ? headers : { ...headers, 'content-type': type },
        body: typeof body === 'object' ? JSON.stringify(body) : (body ?? null),
      },
      {
        onRequestStart: () => {},
        onResponseStart: (_, code) => {
          status = code;
        },
        onResponseData: (_, chunk) => {
          chunks.push(chunk);
        },
        onResponseEnd: () => {
          const answer = Buffer.concat(chunks);
          if (status < 400) resolve(answer);
          else reject(new HttpFailed(`${method} ${path}: ${status} ${answer.toString().slice(0, 500)}`));
        },
        onResponseError: (_, error) => reject(error),
      },
    );
    return await promise;
  };

  return {
    send,
    get: async (path) => JSON.parse((await send('GET', path)).toString()),
    stream: async (path, onData) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const handler: Dispatcher.DispatchHandler = {
        onRequestStart: () => {},
        onResponseStart: (_, code) => {
          if (code < 400) resolve();
          else reject(new HttpFailed(`GET ${path}: ${code}`));
        },
        onResponseData: (_, chunk) => onData(chunk),
        onResponseEnd: () => {},
        onResponseError: (_, error) => reject(error),
      };
      streams.dispatch({ method: 'GET', path, headers, headersTimeout: 0, bodyTimeout: 0 }, handler);
      await promise;
    },
    close: async () => {
      await Promise.all([calls.destroy(), streams.destroy()]);
    },
  };
}

/** Does all, as many at a time as the pool has connections. */
export async function forAll<T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
  atATime = CONNECTIONS,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await work(item);
  };
  await Promise.all(Array.from({ length: atATime }, worker));
}
