import { isRecord } from './object.ts';

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'apply' | 'delete';

/** Doing it twice is doing it once. */
export const isRead = (verb: Verb): boolean => verb === 'get' || verb === 'list' || verb === 'watch';

/** Where and what a request was, without anything that a user chose. */
export interface RequestInfo {
  readonly verb: Verb;
  /** `/api/v1/namespaces/{namespace}/secrets/{name}`: names are placeholders. */
  readonly template: string;
}

/** One field that another manager holds, from the 409 of a server-side apply. */
export interface FieldConflict {
  readonly manager: string;
  /** `.spec.template.spec.volumes[name="truss-secrets"]` */
  readonly field: string;
}

/** What the API server answered instead of success. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly verb: Verb;
  readonly template: string;
  /** HTTP status code. */
  readonly status: number;
  /** `Status.reason`: `NotFound`, `Conflict`, `AlreadyExists`, `Forbidden`, `Expired`, ...; empty when there was none. */
  readonly reason: string;
  /** Seconds; from the header, else from `Status.details`. */
  readonly retryAfterSeconds: number | undefined;
  /** Empty but for the 409 of an apply. */
  readonly conflicts: readonly FieldConflict[];

  constructor(request: RequestInfo, status: StatusAnswer) {
    const said = [status.reason, status.message].filter((part) => part !== '').join(': ');
    super(
      `${request.verb} ${request.template}: the API server answered ${status.code}${said === '' ? '' : ` ${said}`}`,
    );
    this.verb = request.verb;
    this.template = request.template;
    this.status = status.code;
    this.reason = status.reason;
    this.retryAfterSeconds = status.retryAfterSeconds;
    this.conflicts = status.conflicts;
  }
}

export type TransportStep =
  /** No connection: refused, no route, name not found, connect timeout. The request was not sent. */
  | 'connect'
  /** The server's certificate does not verify, or it refused ours. The request was not sent. */
  | 'tls'
  /** The credentials could not be had: token file, exec plugin. The request was not sent. */
  | 'credentials'
  /** The deadline passed. A write may or may not have happened. */
  | 'timeout'
  /** The connection ended before the answer did. A write may or may not have happened. */
  | 'reset'
  /** The answer is larger than the bound. */
  | 'too-large'
  /** The answer is not what Kubernetes sends (no JSON, no object). */
  | 'protocol'
  /** The caller's signal. */
  | 'aborted';

/** The request did not lead to an answer; `step` says where it ended. */
export class TransportError extends Error {
  override readonly name = 'TransportError';
  readonly verb: Verb;
  readonly template: string;
  readonly step: TransportStep;

  constructor(request: RequestInfo, step: TransportStep, detail: string, cause?: unknown) {
    super(`${request.verb} ${request.template}: ${step}: ${detail}`, { cause });
    this.verb = request.verb;
    this.template = request.template;
    this.step = step;
  }
}

/** The parts of a Kubernetes `Status` that we use. */
export interface StatusAnswer {
  readonly code: number;
  readonly reason: string;
  readonly message: string;
  readonly retryAfterSeconds: number | undefined;
  readonly conflicts: readonly FieldConflict[];
}

const MAX_MESSAGE = 1_000;

/**
 * Reads a `Status`, or what a proxy answered in its place. For Secrets (`confidential`) the message is
 * dropped: an API server's message may echo what was sent ("Invalid value: ...").
 */
export function parseStatus(code: number, body: unknown, confidential: boolean): StatusAnswer {
  const status = isRecord(body) && body['kind'] === 'Status' ? body : {};
  const details = isRecord(status['details']) ? status['details'] : {};
  const message = text(status['message']);
  return {
    code: typeof status['code'] === 'number' ? status['code'] : code,
    reason: text(status['reason']),
    message: confidential ? '' : message.slice(0, MAX_MESSAGE),
    retryAfterSeconds:
      typeof details['retryAfterSeconds'] === 'number' ? details['retryAfterSeconds'] : undefined,
    conflicts: confidential ? [] : conflictsOf(details['causes']),
  };
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

function conflictsOf(causes: unknown): readonly FieldConflict[] {
  if (!Array.isArray(causes)) return [];
  return causes.flatMap((cause: unknown) => {
    if (!isRecord(cause) || cause['reason'] !== 'FieldManagerConflict') return [];
    // `conflict with "kubectl" using apps/v1`, with `with subresource "status"` in between on newer servers.
    const manager = /^conflict with "([^"]*)"/.exec(text(cause['message']))?.[1] ?? '';
    return [{ manager, field: text(cause['field']) }];
  });
}

/** True for an {@link ApiError} with this `Status.reason` or HTTP status code. */
export const isApiError = (error: unknown, reasonOrCode: string | number): error is ApiError =>
  error instanceof ApiError && (error.reason === reasonOrCode || error.status === reasonOrCode);
