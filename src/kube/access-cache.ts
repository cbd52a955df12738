import type { Access, TlsIdentity } from './connection.ts';

/** Gets access anew; `from` is `source` after a 401: nothing that was cached on the way is good enough. */
export type GetAccess = (from: 'cache' | 'source') => Promise<Access>;

/** Whoever is refused again and again runs no exec plugin again and again. */
const RENEWAL_PAUSE_MS = 1_000;

/** One access for all requests, asked for again after a while or a 401, by one at a time. */
export class AccessCache {
  readonly #get: GetAccess;
  readonly #maxAgeMs: number;
  readonly #now: () => number;
  #access: Access;
  /** The same as a promise, made once for all requests. */
  #ready: Promise<Access>;
  #gotAt: number;
  #renewedAt = Number.NEGATIVE_INFINITY;
  #getting: Promise<Access> | undefined;

  private constructor(first: Access, get: GetAccess, maxAgeMs: number, now: () => number) {
    this.#access = first;
    this.#ready = Promise.resolve(first);
    this.#get = get;
    this.#maxAgeMs = maxAgeMs;
    this.#now = now;
    this.#gotAt = now();
  }

  /** `now` is in milliseconds, of any origin. */
  static async create(get: GetAccess, maxAgeMs: number, now: () => number): Promise<AccessCache> {
    return new AccessCache(await get('source'), get, maxAgeMs, now);
  }

  access(): Promise<Access> {
    return this.#now() - this.#gotAt < this.#maxAgeMs ? this.#ready : this.#again('cache');
  }

  async renew(refused: Access): Promise<Access> {
    if (refused !== this.#access) return this.#access;
    const justTried = this.#getting === undefined && this.#now() - this.#renewedAt < RENEWAL_PAUSE_MS;
    return justTried ? refused : this.#again('source');
  }

  async #again(from: 'cache' | 'source'): Promise<Access> {
    if (from === 'source' && this.#getting === undefined) this.#renewedAt = this.#now();
    this.#getting ??= this.#get(from).finally(() => {
      this.#getting = undefined;
    });
    const got = await this.#getting;
    this.#access = unchanged(this.#access, got);
    this.#ready = Promise.resolve(this.#access);
    this.#gotAt = this.#now();
    return this.#access;
  }
}

/** Keeps the identity of what is the same: connections are kept by it, and a 401 is tried again only after a change. */
function unchanged(before: Access, now: Access): Access {
  if (!sameTls(before.tls, now.tls)) return now;
  return sameHeaders(before.headers, now.headers) ? before : { headers: now.headers, tls: before.tls };
}

function sameHeaders(a: Access['headers'], b: Access['headers']): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

const sameTls = (a: TlsIdentity, b: TlsIdentity): boolean =>
  a.ca === b.ca &&
  a.cert === b.cert &&
  a.key === b.key &&
  a.serverName === b.serverName &&
  a.verify === b.verify;
