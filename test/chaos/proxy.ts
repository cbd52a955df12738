import { once } from 'node:events';
import {
  createServer,
  Agent as HttpAgent,
  type IncomingMessage,
  request as requestHttp,
  type ServerResponse,
} from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import type { Socket } from 'node:net';
import { type Fault, type Forward, perform, relay } from './fault.ts';
import { randomFrom } from './random.ts';

/** Which requests a rule is about; what is left out matches all. */
export interface Match {
  readonly method?: string;
  /** Of the path with its query. */
  readonly path?: RegExp;
  readonly watch?: boolean;
  /** Everything but GET. */
  readonly write?: boolean;
  /** Of the `Authorization` header. */
  readonly token?: string;
}

/** Which of the requests that match, counted from 1 for each rule. */
export type When =
  | { readonly kind: 'always' }
  | { readonly kind: 'nth'; readonly n: number }
  | { readonly kind: 'first'; readonly count: number }
  | { readonly kind: 'chance'; readonly probability: number };

export interface Rule {
  readonly match: Match;
  /** Default: always. */
  readonly when?: When;
  readonly fault: Fault;
}

/** A rule in force. */
export interface ActiveRule {
  /** How often it was applied. */
  readonly applied: number;
  /** How many of the requests that it was applied to the server has answered. */
  readonly answered: number;
  /** What it has begun, such as a stall, goes on. */
  remove(): void;
}

/** A request as it came in. */
export interface Seen {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly watch: boolean;
  readonly token: string;
  /** `performance.now()` */
  readonly at: number;
}

export interface ProxyOptions {
  /** The API server behind it. */
  readonly server: string;
  readonly ca?: string | undefined;
  /** Of the chances of rules; default 1. */
  readonly seed?: number;
}

export interface FaultProxy extends AsyncDisposable {
  /** Plain http on loopback; the client's credentials are passed on. */
  readonly url: string;
  /** The first rule that applies to a request decides. */
  add(rule: Rule): ActiveRule;
  /** All requests so far, oldest first. */
  readonly seen: readonly Seen[];
  /** How many of them match. */
  count(match: Match): number;
  /** Connections that were made so far. */
  readonly connections: number;
  /** Watches that are under way. */
  readonly openWatches: number;
  /** Resets every open connection. */
  breakAll(): void;
  /**
   * Half-open connections, as where a firewall forgot them: on those that are there nothing goes either way any more,
   * also afterwards, and nobody is told; new ones are served.
   */
  forgetAll(): void;
  /** Resets every open connection and refuses new ones, until `accept`. */
  refuse(): Promise<void>;
  accept(): Promise<void>;
  close(): Promise<void>;
}

/** Starts a proxy in front of an API server; it does to requests what the rules say. */
export async function startProxy({ server, ca, seed = 1 }: ProxyOptions): Promise<FaultProxy> {
  const forward = forwarder(new URL(server), ca);
  const random = randomFrom(seed);
  const rules: RunningRule[] = [];
  const seen: Seen[] = [];
  const sockets = new Set<Socket>();
  const forgotten = new WeakSet<Socket>();
  let connections = 0;
  let openWatches = 0;

  const front = createServer((request, response) => {
    if (forgotten.has(request.socket)) return;
    const one = seenOf(request);
    seen.push(one);
    if (one.watch) {
      openWatches += 1;
      response.on('close', () => {
        openWatches -= 1;
      });
    }
    const send: Forward = (onAnswer) =>
      forward(request, response, (answer) => {
        if (forgotten.has(request.socket)) answer.resume();
        else onAnswer(answer);
      });
    const rule = rules.find((candidate) => candidate.appliesTo(one, random));
    if (rule === undefined) {
      send((answer) => relay(answer, response));
      return;
    }
    const counted: Forward = (onAnswer) =>
      send((answer) => {
        rule.answered += 1;
        onAnswer(answer);
      });
    perform(rule.fault, counted, response);
  });
  // Only the rules and the two sides end a connection.
  front.keepAliveTimeout = 0;
  front.requestTimeout = 0;
  front.on('connection', (socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
  });
  const listen = async (port: number): Promise<number> => {
    front.listen(port, '127.0.0.1');
    await once(front, 'listening');
    const address = front.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
    return address.port;
  };
  const breakAll = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  const refuse = async (): Promise<void> => {
    if (!front.listening) return;
    front.close();
    breakAll();
    await once(front, 'close');
  };

  const port = await listen(0);
  return {
    url: `http://127.0.0.1:${port}`,
    add: (rule) => {
      const running = new RunningRule(rule);
      rules.push(running);
      return {
        get applied() {
          return running.applied;
        },
        get answered() {
          return running.answered;
        },
        remove: () => void rules.splice(rules.indexOf(running), 1),
      };
    },
    seen,
    count: (match) => seen.filter((one) => matches(match, one)).length,
    get connections() {
      return connections;
    },
    get openWatches() {
      return openWatches;
    },
    breakAll,
    forgetAll: () => {
      for (const socket of sockets) {
        forgotten.add(socket);
        // what is still written goes nowhere
        socket.write = () => true;
      }
    },
    refuse,
    accept: async () => void (await listen(port)),
    close: refuse,
    [Symbol.asyncDispose]: refuse,
  };
}

class RunningRule {
  readonly fault: Fault;
  applied = 0;
  answered = 0;
  readonly #match: Match;
  readonly #when: When;
  #matched = 0;

  constructor({ match, when = { kind: 'always' }, fault }: Rule) {
    this.#match = match;
    this.#when = when;
    this.fault = fault;
  }

  appliesTo(one: Seen, random: () => number): boolean {
    if (!matches(this.#match, one)) return false;
    this.#matched += 1;
    const applies = this.#isTime(random);
    if (applies) this.applied += 1;
    return applies;
  }

  #isTime(random: () => number): boolean {
    switch (this.#when.kind) {
      case 'always':
        return true;
      case 'nth':
        return this.#matched === this.#when.n;
      case 'first':
        return this.#matched <= this.#when.count;
      case 'chance':
        return random() < this.#when.probability;
    }
  }
}

const matches = ({ method, path, watch, write, token }: Match, one: Seen): boolean =>
  (method === undefined || method === one.method) &&
  (token === undefined || token === one.token) &&
  (path === undefined || path.test(one.path)) &&
  (watch === undefined || watch === one.watch) &&
  (write === undefined || write === (one.method !== 'GET'));

function seenOf({ method = '', url = '', headers }: IncomingMessage): Seen {
  const token = headers.authorization?.replace(/^Bearer /, '') ?? '';
  return { method, path: url, watch: /[?&]watch=(1|true)/.test(url), token, at: performance.now() };
}

/** Sends a request on to the server over kept-alive connections; the end of either side is that of the other. */
function forwarder(
  server: URL,
  ca: string | undefined,
): (request: IncomingMessage, response: ServerResponse, onAnswer: (answer: IncomingMessage) => void) => void {
  const secure = server.protocol === 'https:';
  const agent = secure ? new HttpsAgent({ keepAlive: true, ca }) : new HttpAgent({ keepAlive: true });
  const send = secure ? requestHttps : requestHttp;
  return (request, response, onAnswer) => {
    const { method, url = '/', headers } = request;
    const sent = send(
      new URL(url, server),
      { method, agent, headers: { ...headers, host: server.host } },
      onAnswer,
    );
    sent.on('error', () => response.socket?.resetAndDestroy());
    response.on('close', () => sent.destroy());
    request.pipe(sent);
  };
}
