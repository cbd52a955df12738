import type { IncomingMessage, ServerResponse } from 'node:http';

/** How far the body of the answer gets. */
export type After = { readonly bytes: number } | { readonly lines: number };

/** What is done to a request. A new one is a member here and a case in {@link perform}. */
export type Fault =
  /** Answered by the proxy; the server never sees it. */
  | {
      readonly kind: 'respond';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      /** An object is sent as JSON. */
      readonly body?: string | object;
    }
  /** The connection is reset; the server never sees the request. */
  | { readonly kind: 'reset' }
  /** No answer, and the connection stays open; the server never sees the request. */
  | { readonly kind: 'hang' }
  /** Later, but in good order. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** The server does what was asked for; its answer is lost with the connection. */
  | { readonly kind: 'lose-response' }
  /** The body comes in small parts, with a pause after each: a line may take long to be complete. */
  | { readonly kind: 'drip'; readonly bytes: number; readonly everyMs: number }
  /**
   * The first part of the body comes, then: `end` in good order; `cut`, the connection is closed in the middle;
   * `reset`; or `stall`, nothing comes any more, on an open connection.
   */
  | { readonly kind: 'break-body'; readonly after: After; readonly how: 'end' | 'cut' | 'reset' | 'stall' };

/** Sends the request on to the server. */
export type Forward = (onAnswer: (answer: IncomingMessage) => void) => void;

const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding']);

/** Passes an answer on as it comes. */
export function relay(answer: IncomingMessage, response: ServerResponse): void {
  writeHead(answer, response);
  answer.pipe(response);
  answer.on('error', () => response.socket?.resetAndDestroy());
}

/** Does to a request what the fault says. */
export function perform(fault: Fault, forward: Forward, response: ServerResponse): void {
  switch (fault.kind) {
    case 'respond': {
      const { status, headers = {}, body = '' } = fault;
      const isText = typeof body === 'string';
      response.writeHead(status, { ...(isText ? {} : { 'content-type': 'application/json' }), ...headers });
      response.end(isText ? body : JSON.stringify(body));
      return;
    }
    case 'reset':
      response.socket?.resetAndDestroy();
      return;
    case 'hang':
      return;
    case 'delay':
      setTimeout(() => forward((answer) => relay(answer, response)), fault.ms);
      return;
    case 'lose-response':
      forward((answer) => {
        answer.resume();
        answer.on('end', () => response.socket?.resetAndDestroy());
      });
      return;
    case 'drip':
      forward((answer) => drip(answer, response, fault));
      return;
    case 'break-body':
      forward((answer) => breakBody(answer, response, fault));
  }
}

function drip(
  answer: IncomingMessage,
  response: ServerResponse,
  { bytes, everyMs }: Fault & { kind: 'drip' },
): void {
  writeHead(answer, response);
  let waiting = Buffer.alloc(0);
  let complete = false;
  const timer = setInterval(() => {
    response.write(waiting.subarray(0, bytes));
    waiting = waiting.subarray(bytes);
    if (!complete || waiting.length > 0) return;
    clearInterval(timer);
    response.end();
  }, everyMs);
  response.on('close', () => clearInterval(timer));
  answer.on('data', (chunk: Buffer) => {
    waiting = Buffer.concat([waiting, chunk]);
  });
  answer.on('end', () => {
    complete = true;
  });
  answer.on('error', () => response.socket?.resetAndDestroy());
}

function breakBody(
  answer: IncomingMessage,
  response: ServerResponse,
  { after, how }: Fault & { kind: 'break-body' },
): void {
  writeHead(answer, response);
  let left = 'bytes' in after ? after.bytes : after.lines;
  const stop = (): void => {
    answer.removeAllListeners('data');
    answer.pause();
    // What was written has to be on its way before the connection goes.
    if (how === 'end') response.end();
    else if (how === 'cut') response.write('', () => response.socket?.destroySoon());
    else if (how === 'reset') response.write('', () => response.socket?.resetAndDestroy());
  };
  answer.on('data', (chunk: Buffer) => {
    const part = 'bytes' in after ? chunk.subarray(0, left) : firstLines(chunk, left);
    left -= 'bytes' in after ? part.length : linesIn(part);
    response.write(part);
    if (left <= 0) stop();
  });
  answer.on('end', () => response.end());
  answer.on('error', () => response.socket?.resetAndDestroy());
  if (left <= 0) stop();
}

function writeHead(answer: IncomingMessage, response: ServerResponse): void {
  const headers = Object.entries(answer.headers).filter(([name]) => !HOP_BY_HOP.has(name));
  response.writeHead(answer.statusCode ?? 502, Object.fromEntries(headers));
  response.flushHeaders();
}

const NEWLINE = 0x0a;

const linesIn = (chunk: Buffer): number => chunk.filter((byte) => byte === NEWLINE).length;

function firstLines(chunk: Buffer, count: number): Buffer {
  let end = 0;
  for (let left = count; left > 0; left -= 1) {
    const newline = chunk.indexOf(NEWLINE, end);
    if (newline === -1) return chunk;
    end = newline + 1;
  }
  return chunk.subarray(0, end);
}
