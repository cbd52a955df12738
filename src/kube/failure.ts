import { ApiError, TransportError } from './errors.ts';

export type FailureKind =
  /** 410: the resourceVersion or the continue token is too old. */
  | 'expired'
  /** 401, 403: we may not read this. */
  | 'forbidden'
  /** 404: the API server does not serve this kind (yet). */
  | 'missing'
  /** Any other 4xx but 429. */
  | 'refused'
  /** 429, 5xx: later. */
  | 'busy'
  /** No answer, or it broke off. */
  | 'unreachable'
  /** A page or a line over the bound. */
  | 'too-large'
  /** Not what Kubernetes sends, or more than what is here could take. */
  | 'garbled'
  /** A watch that ended as soon as it had begun. */
  | 'short-watch';

/** Why a list or a watch failed, as far as it matters for what to do next. */
export interface Failure {
  readonly kind: FailureKind;
  /** For people; holds no value of a Secret. */
  readonly message: string;
  /** The server's wish (`Retry-After`). */
  readonly retryAfterMs: number | undefined;
}

/** Sorts an error of the client by what to do about it. */
export function failureOf(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof ApiError) {
    const { retryAfterSeconds } = error;
    return {
      kind: kindOfStatus(error.status),
      message,
      retryAfterMs: retryAfterSeconds === undefined ? undefined : retryAfterSeconds * 1_000,
    };
  }
  return {
    kind: error instanceof TransportError ? kindOfStep(error) : 'garbled',
    message,
    retryAfterMs: undefined,
  };
}

function kindOfStatus(status: number): FailureKind {
  switch (status) {
    case 401:
    case 403:
      return 'forbidden';
    case 404:
      return 'missing';
    case 410:
      return 'expired';
    case 429:
      return 'busy';
    default:
      return status >= 400 && status < 500 ? 'refused' : 'busy';
  }
}

function kindOfStep(error: TransportError): FailureKind {
  switch (error.step) {
    case 'too-large':
      return 'too-large';
    case 'protocol':
      return 'garbled';
    case 'credentials':
      return 'forbidden';
    case 'connect':
    case 'tls':
    case 'timeout':
    case 'reset':
    case 'aborted':
      return 'unreachable';
  }
}
