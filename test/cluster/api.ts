import { Agent, fetch } from 'undici';

/** How to reach an API server, as plain data that vitest can hand to its workers. */
export interface Access {
  readonly server: string;
  /** PEM; absent: what Node trusts. */
  readonly ca?: string;
  /** Client certificate and key, PEM. */
  readonly certificate?: string;
  readonly key?: string;
  readonly token?: string;
  readonly insecure?: boolean;
}

/** What is common to all objects; tests that need more say so: `api.get<V1Secret>(path)`. */
export interface KubernetesObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly generation?: number;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
    readonly ownerReferences?: readonly Readonly<Record<string, unknown>>[];
    readonly managedFields?: readonly Readonly<Record<string, unknown>>[];
  };
  readonly data?: Readonly<Record<string, string>>;
  readonly type?: string;
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>>;
}

type PatchType = 'merge-patch' | 'strategic-merge-patch' | 'json-patch' | 'apply-patch';

/** The API server answered with an error. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: number;
  /** `reason` of the Status: NotFound, AlreadyExists, Conflict, Forbidden, ... */
  readonly reason: string;

  constructor(request: string, code: number, reason: string, message: string) {
    super(`${request}: ${code} ${reason}: ${message}`);
    this.code = code;
    this.reason = reason;
  }
}

/**
 * A bare JSON client, on purpose not the one of src/kube: tests must not prove that one with itself. Paths are those of
 * the API (`/api/v1/namespaces/default/secrets?limit=1`); errors are {@link ApiError}.
 */
export interface Api {
  readonly get: <T = KubernetesObject>(path: string) => Promise<T>;
  readonly post: <T = KubernetesObject>(path: string, body: object) => Promise<T>;
  readonly put: <T = KubernetesObject>(path: string, body: object) => Promise<T>;
  readonly patch: <T = KubernetesObject>(path: string, body: object, type?: PatchType) => Promise<T>;
  readonly delete: <T = KubernetesObject>(path: string, options?: object) => Promise<T>;
  /** For what is not JSON: `/metrics`, `/readyz`, a pod's log. */
  readonly text: (path: string) => Promise<string>;
}

export function apiOf(access: Access): Api {
  const json = async <T>(method: string, path: string, body?: object, type?: string): Promise<T> =>
    JSON.parse(await send(access, method, path, body, type));
  return {
    get: (path) => json('GET', path),
    post: (path, body) => json('POST', path, body),
    put: (path, body) => json('PUT', path, body),
    patch: (path, body, type = 'merge-patch') => json('PATCH', path, body, patchMediaType(type)),
    delete: (path, options) => json('DELETE', path, options),
    text: (path) => send(access, 'GET', path),
  };
}

function patchMediaType(type: PatchType): string {
  // JSON is YAML, so that an apply can carry it
  return `application/${type}+${type === 'apply-patch' ? 'yaml' : 'json'}`;
}

async function send(
  access: Access,
  method: string,
  path: string,
  body?: object,
  type = 'application/json',
): Promise<string> {
  const response = await fetch(new URL(path, access.server), {
    method,
    dispatcher: dispatcherOf(access),
    headers: {
      ...(access.token === undefined ? {} : { authorization: `Bearer ${access.token}` }),
      ...(body === undefined ? {} : { 'content-type': type }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) {
    const { reason, message } = statusOf(text);
    throw new ApiError(`${method} ${path}`, response.status, reason ?? response.statusText, message ?? text);
  }
  return text;
}

function statusOf(text: string): { readonly reason?: string; readonly message?: string } {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

const agents = new Map<string, Agent>();

/** The pooled connections to an API server. */
export function dispatcherOf({ server, ca, certificate, key, insecure }: Access): Agent {
  const id = JSON.stringify([server, ca, certificate, insecure]);
  const known = agents.get(id);
  if (known !== undefined) return known;
  const agent = new Agent({
    allowH2: false,
    connect: {
      ...(ca === undefined ? {} : { ca }),
      ...(certificate === undefined ? {} : { cert: certificate }),
      ...(key === undefined ? {} : { key }),
      ...(insecure === true ? { rejectUnauthorized: false } : {}),
    },
  });
  agents.set(id, agent);
  return agent;
}
