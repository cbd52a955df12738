import { setTimeout as sleep } from 'node:timers/promises';
import { backoffDelay, type BackoffPolicy } from './backoff.ts';
import type { RequestReport } from './client.ts';
import { type Access, type Connection, CredentialsError, type TlsIdentity } from './connection.ts';
import { ApiError, isRead, parseStatus, type RequestInfo, TransportError, type Verb } from './errors.ts';
import type { Answer, BodySink } from './exchange.ts';
import { type HttpRequest, Transport } from './transport.ts';
import { Turnstile } from './turnstile.ts';

export interface Call {
  readonly request: HttpRequest;
  /** Of everything together. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** False: only a 401 is tried again. */
  readonly retry: boolean;
  /** Answers may echo what was sent: of errors only code and reason are kept. */
  readonly confidential: boolean;
}

/** Of a collected body. A page over it is asked for again in smaller ones. */
export const MAX_BODY_BYTES = 16 * 1024 * 1024;

/** While the API server restarts, connections are refused for a second or two. */
const UNREACHABLE: BackoffPolicy = { baseMs: 100, factor: 3, maxMs: 2_000, jitter: 0.5 };
const MAX_TRIES = 5;

/** Sends requests with the credentials of the moment, and again where that can do no harm (see {@link Client}). */
export class Requester {
  readonly #connection: Connection;
  readonly #connections: number;
  readonly #observe: (report: RequestReport) => void;
  /** The newest last; the others finish what they have in hand. */
  readonly #transports: Transport[] = [];
  readonly #turnstile = new Turnstile();
  #tls: TlsIdentity | undefined;
  #closed = false;

  constructor(connection: Connection, connections: number, observe: (report: RequestReport) => void) {
    this.#connection = connection;
    this.#connections = connections;
    this.#observe = observe;
  }

  /**
   * The answer, of a status below 400. With a sink the body of a 200 goes there. Throws ApiError and
   * TransportError.
   */
  async send(call: Call, sink?: BodySink): Promise<Answer> {
    const { info } = call.request;
    const deadline = performance.now() + call.timeoutMs;
    let renewed = false;
    for (let tries = 1; ; tries += 1) {
      const again = call.retry && tries < MAX_TRIES && !this.#closed;
      const access = await this.#access(info, () => this.#connection.access());
      const start = performance.now();
      const outcome = await this.#once(call, access, deadline - start, sink);
      const code = outcome instanceof TransportError ? 0 : outcome.status;
      this.#observe({ ...info, code, durationMs: performance.now() - start });
      const turn = sink === undefined ? this.#turnstile.leave() : undefined;
      if (turn !== undefined) await turn;
      if (outcome instanceof TransportError) {
        if (!again || !harmless(outcome)) throw outcome;
        await pause(backoffDelay(tries - 1, Math.random(), UNREACHABLE), call);
        continue;
      }
      if (outcome.status < 400) return outcome;
      if (outcome.status === 401 && !renewed) {
        renewed = true;
        const fresh = await this.#access(info, () => this.#connection.renew(access));
        if (fresh !== access) continue;
      }
      const waitMs = again ? askedToWait(outcome, info.verb) : undefined;
      if (waitMs === undefined || performance.now() + waitMs > deadline) throw apiError(outcome, call);
      await pause(waitMs, call);
    }
  }

  /** Ends everything that is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#transports.map((transport) => transport.destroy()));
  }

  #once(
    { request, signal }: Call,
    access: Access,
    leftMs: number,
    sink: BodySink | undefined,
  ): Promise<Answer | TransportError> {
    const transport = this.#transportFor(access.tls, request.info);
    const headers = { ...access.headers, ...request.headers };
    const options = { timeoutMs: Math.max(1, leftMs), signal, maxBytes: MAX_BODY_BYTES, sink };
    if (sink === undefined) this.#turnstile.enter();
    return transport.send({ ...request, headers }, options);
  }

  #transportFor(tls: TlsIdentity, info: RequestInfo): Transport {
    const current = this.#transports.at(-1);
    if (current !== undefined && this.#tls === tls) return current;
    const next = this.#connect(tls, info);
    this.#tls = tls;
    this.#transports.push(next);
    if (current !== undefined) void this.#retire(current);
    return next;
  }

  #connect(tls: TlsIdentity, info: RequestInfo): Transport {
    try {
      return new Transport(this.#connection, tls, this.#connections);
    } catch (cause) {
      const detail = cause instanceof Error ? cause.message : String(cause);
      throw new TransportError(
        info,
        'tls',
        `the certificates of the credentials can't be used: ${detail}`,
        cause,
      );
    }
  }

  async #retire(transport: Transport): Promise<void> {
    await transport.retire();
    this.#transports.splice(this.#transports.indexOf(transport), 1);
  }

  async #access(info: RequestInfo, get: () => Promise<Access>): Promise<Access> {
    try {
      return await get();
    } catch (error) {
      if (error instanceof CredentialsError)
        throw new TransportError(info, 'credentials', error.message, error);
      throw error;
    }
  }
}

/** Not sent at all, or a read that broke off. */
const harmless = ({ step, verb }: TransportError): boolean =>
  step === 'connect' || (step === 'reset' && isRead(verb));

/**
 * Milliseconds until the server wants to be asked again, for requests that it did not work on: 429 always says
 * that; a 503 may come from behind a write, so that it counts for reads alone.
 */
function askedToWait({ status, retryAfterSeconds }: Answer, verb: Verb): number | undefined {
  if (retryAfterSeconds === undefined) return undefined;
  return status === 429 || (status === 503 && isRead(verb)) ? retryAfterSeconds * 1_000 : undefined;
}

async function pause(ms: number, { request, signal }: Call): Promise<void> {
  try {
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  } catch (cause) {
    throw new TransportError(request.info, 'aborted', 'the caller gave up', cause);
  }
}

function apiError(answer: Answer, { request, confidential }: Call): ApiError {
  const status = parseStatus(answer.status, parseJson(answer.body), confidential);
  const retryAfterSeconds = answer.retryAfterSeconds ?? status.retryAfterSeconds;
  return new ApiError(request.info, { ...status, retryAfterSeconds });
}

/** Undefined for what is no JSON: an error page of something on the way. */
export function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}
