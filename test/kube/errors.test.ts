import { describe, expect, it } from 'vitest';
import { ApiError, isApiError, parseStatus, TransportError } from '../../src/kube/errors.ts';
import { failureOf } from '../../src/kube/failure.ts';

const info = { verb: 'apply', template: '/apis/apps/v1/namespaces/{namespace}/deployments/{name}' } as const;

const conflict = {
  kind: 'Status',
  status: 'Failure',
  code: 409,
  reason: 'Conflict',
  message: 'Apply failed with 1 conflict',
  details: {
    causes: [
      {
        reason: 'FieldManagerConflict',
        message: 'conflict with "kubectl" using apps/v1',
        field: '.spec.replicas',
      },
      {
        reason: 'FieldManagerConflict',
        message: 'conflict with "helm" with subresource "scale" using apps/v1',
        field: '.spec.template',
      },
      { reason: 'FieldValueInvalid', message: 'other', field: '.x' },
    ],
  },
};

const invalid = {
  kind: 'Status',
  code: 422,
  reason: 'Invalid',
  message: 'data[k]: Invalid value: "canary"',
  details: {
    causes: [{ reason: 'FieldManagerConflict', message: 'conflict with "canary"', field: '.data.canary' }],
  },
};

describe('an error of the API server', () => {
  it('says what was asked, and what the answer was', () => {
    const error = new ApiError(info, parseStatus(409, conflict, false));
    expect(error.message).toBe(
      'apply /apis/apps/v1/namespaces/{namespace}/deployments/{name}: the API server answered 409 Conflict: Apply failed with 1 conflict',
    );
    expect([error.status, error.reason, error.verb]).toEqual([409, 'Conflict', 'apply']);
  });

  it('names the managers that hold the fields', () => {
    expect(parseStatus(409, conflict, false).conflicts).toEqual([
      { manager: 'kubectl', field: '.spec.replicas' },
      { manager: 'helm', field: '.spec.template' },
    ]);
  });

  it('keeps only code and reason for a Secret', () => {
    const error = new ApiError(info, parseStatus(422, invalid, true));
    expect([error.status, error.reason]).toEqual([422, 'Invalid']);
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('canary');
  });

  it('bounds what it repeats', () => {
    const status = parseStatus(400, { kind: 'Status', message: 'x'.repeat(100_000) }, false);
    expect(status.message.length).toBe(1_000);
  });

  it.each([
    ['an error page', '<html>'],
    ['nothing', undefined],
    ['a Status with fields of other types', { kind: 'Status', reason: 7, message: [], details: 'no' }],
  ])('is made of %s too', (_, body) => {
    expect(parseStatus(502, body, false)).toEqual({
      code: 502,
      reason: '',
      message: '',
      retryAfterSeconds: undefined,
      conflicts: [],
    });
  });

  it('is known by its reason or its code', () => {
    const error: unknown = new ApiError(info, parseStatus(409, conflict, false));
    expect(isApiError(error, 'Conflict')).toBe(true);
    expect(isApiError(error, 409)).toBe(true);
    expect(isApiError(error, 'AlreadyExists')).toBe(false);
    expect(isApiError(new Error('Conflict'), 'Conflict')).toBe(false);
  });
});

const answered = (code: number, retryAfterSeconds?: number) =>
  new ApiError(info, { code, reason: '', message: '', retryAfterSeconds, conflicts: [] });

describe('the failure that an error is for a watcher', () => {
  it.each([
    [401, 'forbidden'],
    [403, 'forbidden'],
    [404, 'missing'],
    [410, 'expired'],
    [400, 'refused'],
    [429, 'busy'],
    [500, 'busy'],
    [503, 'busy'],
  ] as const)('HTTP %i is %s', (code, kind) => {
    expect(failureOf(answered(code)).kind).toBe(kind);
  });

  it.each([
    ['connect', 'unreachable'],
    ['tls', 'unreachable'],
    ['timeout', 'unreachable'],
    ['reset', 'unreachable'],
    ['credentials', 'forbidden'],
    ['too-large', 'too-large'],
    ['protocol', 'garbled'],
  ] as const)('%s is %s', (step, kind) => {
    expect(failureOf(new TransportError(info, step, 'detail')).kind).toBe(kind);
  });

  it('carries the wait that the server asks for, in milliseconds', () => {
    expect(failureOf(answered(429, 7)).retryAfterMs).toBe(7_000);
  });

  it('is garbled for what a sink throws', () => {
    expect(failureOf(new RangeError('no such index'))).toEqual({
      kind: 'garbled',
      message: 'no such index',
      retryAfterMs: undefined,
    });
  });
});
