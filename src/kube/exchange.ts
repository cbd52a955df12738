import type { Dispatcher } from 'undici';
import { type RequestInfo, TransportError, type TransportStep } from './errors.ts';

export interface Answer {
  readonly status: number;
  /** From the header; undefined for none, or for a date. */
  readonly retryAfterSeconds: number | undefined;
  /** Empty when it went to a sink. */
  readonly body: Buffer;
}

/** Takes the body of a 200 as it comes. */
export interface BodySink {
  opened(flow: Flow): void;
  data(chunk: Buffer): void;
  /** Once: the body is complete, or why it is not. */
  ended(error: TransportError | undefined): void;
}

/** Stops and starts the body of a sink; what the server sends meanwhile waits in the socket. */
export interface Flow {
  pause(): void;
  resume(): void;
}

export interface ExchangeOptions {
  /** From the call to the end of the answer; for a stream to its headers. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** Of a body that is collected. */
  readonly maxBytes: number;
  readonly sink: BodySink | undefined;
}

/**
 * One request and its answer, as undici's callbacks: no stream, and one promise for the whole exchange, which
 * is what makes a call cheap.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  /** Or why there is none: it never rejects. */
  readonly outcome: Promise<Answer | TransportError>;
  readonly #info: RequestInfo;
  readonly #options: ExchangeOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #settle: (outcome: Answer | TransportError) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #state: 'waiting' | 'collecting' | 'streaming' | 'over' = 'waiting';
  #status = 0;
  #retryAfterSeconds: number | undefined;
  #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(info: RequestInfo, options: ExchangeOptions) {
    this.#info = info;
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<Answer | TransportError>();
    this.outcome = promise;
    this.#settle = resolve;
    this.#timer = setTimeout(
      () => this.#fail('timeout', `no answer within ${options.timeoutMs} ms`),
      options.timeoutMs,
    );
    if (options.signal?.aborted === true) this.#onAbort();
    else options.signal?.addEventListener('abort', this.#onAbort);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // Given up while it waited for a connection.
    if (this.#state === 'over') controller.abort(new Error('given up'));
  }

  onResponseStart(
    _: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    if (this.#state === 'over' || status < 200) return;
    this.#status = status;
    this.#retryAfterSeconds = seconds(headers['retry-after']);
    const { sink } = this.#options;
    if (sink === undefined || status !== 200) {
      this.#state = 'collecting';
      return;
    }
    this.#state = 'streaming';
    clearTimeout(this.#timer);
    this.#settle(this.#answer());
    const controller = this.#controller;
    sink.opened({ pause: () => controller?.pause(), resume: () => controller?.resume() });
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#state === 'streaming') {
      this.#options.sink?.data(chunk);
    } else if (this.#state === 'collecting') {
      this.#bytes += chunk.length;
      if (this.#bytes > this.#options.maxBytes) {
        this.#fail('too-large', `the answer has more than ${this.#options.maxBytes} bytes`);
      } else {
        this.#chunks.push(chunk);
      }
    }
  }

  onResponseEnd(): void {
    const { sink } = this.#options;
    const state = this.#over();
    if (state === 'streaming') sink?.ended(undefined);
    else if (state === 'collecting') this.#settle(this.#answer());
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    const { step, detail } = explain(error, this.#controller !== undefined);
    this.#fail(step, detail, error);
  }

  #answer(): Answer {
    const body = this.#chunks.length === 1 ? this.#chunks[0] : undefined;
    return {
      status: this.#status,
      retryAfterSeconds: this.#retryAfterSeconds,
      body: body ?? Buffer.concat(this.#chunks),
    };
  }

  readonly #onAbort = (): void => this.#fail('aborted', 'the caller gave up');

  #fail(step: TransportStep, detail: string, cause?: unknown): void {
    const state = this.#over();
    if (state === 'over') return;
    const error = new TransportError(this.#info, step, detail, cause);
    if (state === 'streaming') this.#options.sink?.ended(error);
    else this.#settle(error);
    this.#controller?.abort(error);
  }

  /** The state before; from here on nothing is delivered any more. */
  #over(): 'waiting' | 'collecting' | 'streaming' | 'over' {
    const state = this.#state;
    this.#state = 'over';
    clearTimeout(this.#timer);
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    return state;
  }
}

const seconds = (header: string | string[] | undefined): number | undefined =>
  typeof header === 'string' && /^[0-9]{1,6}$/.test(header) ? Number(header) : undefined;

/** Where a request ended, from the error of a socket. `sent`: undici had begun to write it. */
function explain(error: Error, sent: boolean): { readonly step: TransportStep; readonly detail: string } {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  if (sent) return { step: 'reset', detail: `the connection broke (${code})` };
  if (TLS_ERROR.test(code)) return { step: 'tls', detail: `${error.message} (${code})` };
  return { step: 'connect', detail: `no connection (${code})` };
}

/** OpenSSL's and Node's codes for certificates that do not verify, and handshakes that fail. */
const TLS_ERROR =
  /^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|EPROTO|HOSTNAME_MISMATCH|INVALID_CA)/;
