import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { SecretValue } from '../../src/api/secret-value.ts';
import {
  encodeReplacement,
  encodeSecret,
  isAsSent,
  secretBody,
  secretData,
  withSent,
} from '../../src/kube/secret-body.ts';

const CANARY = 'Y2FuYXJ5';
const metadata = { namespace: 'models', name: 'gfpgan-truss-secrets' };
const body = secretBody({ metadata, type: 'Opaque', data: new Map([['k', new SecretValue(CANARY)]]) });

describe('the body of a Secret', () => {
  it('holds the values out of sight until it is encoded for the API server', () => {
    expect(inspect(body, { depth: 9 })).not.toContain(CANARY);
    expect(JSON.stringify(body)).not.toContain(CANARY);
    expect(JSON.parse(encodeSecret(body))).toEqual({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata,
      type: 'Opaque',
      data: { k: CANARY },
    });
  });

  it('is encoded in a patch too', () => {
    expect(encodeSecret({ data: { k: new SecretValue(CANARY), gone: null } })).toBe(
      `{"data":{"k":"${CANARY}","gone":null}}`,
    );
  });

  it.each(['__proto__', 'constructor', 'toJSON'])('may have a key named %s', (key) => {
    const odd = secretBody({ metadata, type: 'Opaque', data: new Map([[key, new SecretValue(CANARY)]]) });
    expect(encodeSecret(odd)).toContain(`"data":{"${key}":"${CANARY}"}`);
  });
});

describe('a Secret that replaces another one', () => {
  const owner = { apiVersion: 'v1', kind: 'ModelDeployment', name: 'gfpgan', uid: 'm', controller: true };
  const own = { labels: { by: 'us' }, annotations: { revision: '1' }, ownerReferences: [owner] };
  const incarnation = { name: 'gfpgan-truss-secrets', namespace: 'models', uid: 'u' };
  const values = { z: 'eg==', k: CANARY };
  const replacement = encodeReplacement({
    metadata: { ...incarnation, resourceVersion: '7', ...own },
    type: 'Opaque',
    data: new Map(Object.entries(values).map(([key, value]) => [key, new SecretValue(value)])),
  });

  /** What the API server answers, with its fields in its order. */
  const answer = ({
    deletion = {},
    of = {},
    more = {},
    data = { k: CANARY, z: 'eg==' },
    type = 'Opaque',
    managers = ['truss-secrets'],
  }: {
    readonly deletion?: object;
    readonly of?: object;
    readonly more?: object;
    readonly data?: object;
    readonly type?: string;
    readonly managers?: readonly string[];
  } = {}) => ({
    kind: 'Secret',
    apiVersion: 'v1',
    metadata: {
      ...incarnation,
      resourceVersion: '8',
      ...deletion,
      ...own,
      ...of,
      managedFields: managers.map((manager) => ({
        manager,
        operation: 'Update',
        fieldsV1: { 'f:data': {} },
      })),
    },
    ...more,
    data,
    type,
  });
  const isTaken = (said: object): boolean => isAsSent(Buffer.from(`${JSON.stringify(said)}\n`), replacement);

  it('is sent with all of its values', () => {
    expect(JSON.parse(replacement.body)).toEqual({
      kind: 'Secret',
      apiVersion: 'v1',
      metadata: { ...incarnation, resourceVersion: '7', ...own },
      type: 'Opaque',
      data: values,
    });
  });

  it('is known again in an answer that says the same', () => {
    expect(isTaken(answer())).toBe(true);
    expect(isTaken(answer({ managers: ['truss-secrets', 'truss-secrets'] }))).toBe(true);
  });

  it.each([
    ['a value that a webhook altered', { data: { k: 'b3RoZXI=', z: 'eg==' } }],
    ['a key that was added', { data: { a: '', k: CANARY, z: 'eg==' } }],
    ['a key that is missing', { data: { k: CANARY } }],
    ['a label that was added', { of: { labels: { by: 'us', team: 'x' } } }],
    ['another revision', { of: { annotations: { revision: '2' } } }],
    ['another owner', { of: { ownerReferences: [owner, { ...owner, controller: false }] } }],
    ['a finalizer', { of: { finalizers: ['example.test/hold'] } }],
    ['another type', { type: 'example.test/other' }],
    ['a Secret that was made immutable', { more: { immutable: true } }],
    ['a deletion that has begun', { deletion: { deletionTimestamp: '2026-11-29T00:00:00Z' } }],
    ['a part that somebody else has in it', { managers: ['truss-secrets', 'kubectl'] }],
  ])('is not, in one with %s', (_, difference) => {
    expect(isTaken(answer(difference))).toBe(false);
  });

  it('is not, in one that is a byte shorter than what it should end with', () => {
    const sent = encodeReplacement({
      metadata: { ...incarnation, resourceVersion: '7', ...own },
      type: 'Opaque',
      data: new Map([['k', new SecretValue('A'.repeat(4_000))]]),
    });
    const said = (padding: string): string => JSON.stringify(answer({ data: { k: padding } }));
    const missing = sent.body.length - sent.restAt - 1 - said('').length;
    expect(isAsSent(Buffer.from(said('A'.repeat(missing))), sent)).toBe(false);
  });
});

describe('the values of a Secret', () => {
  const raw = { metadata: { name: 'a', uid: 'b', resourceVersion: '1' } };

  it('are read out of sight', () => {
    const data = secretData({ ...raw, data: { k: CANARY, empty: '' } });
    expect([...data.keys()]).toEqual(['k', 'empty']);
    expect(data.get('k')?.equals(new SecretValue(CANARY))).toBe(true);
    expect(inspect(data)).not.toContain(CANARY);
  });

  it('are none in metadata alone', () => {
    expect(secretData(raw).size).toBe(0);
  });

  it('may have the key __proto__, as JSON gives it', () => {
    const parsed: unknown = JSON.parse(`{"__proto__":"${CANARY}"}`);
    expect([...secretData({ ...raw, data: parsed }).keys()]).toEqual(['__proto__']);
  });

  it('may have it in the answer to a write, too', () => {
    const data: unknown = JSON.parse(`{"__proto__":"${CANARY}","x":"b3RoZXI="}`);
    const sent = new SecretValue(CANARY);

    const read = secretData(withSent({ ...raw, data }, new Map([['__proto__', sent]])));

    expect([...read.keys()]).toEqual(['__proto__', 'x']);
    expect(read.get('__proto__')).toBe(sent);
  });

  it('are those that were sent, where the answer to a write has them unchanged, and else those of the answer', () => {
    const sent = new Map([
      ['same', new SecretValue(CANARY)],
      ['altered', new SecretValue(CANARY)],
      ['dropped', new SecretValue(CANARY)],
    ]);
    const answer = { ...raw, type: 'Opaque', data: { same: CANARY, altered: 'b3RoZXI=', added: CANARY } };

    const read = withSent(answer, sent);

    const data = secretData(read);
    expect([...data.keys()]).toEqual(['same', 'altered', 'added']);
    expect(data.get('same')).toBe(sent.get('same'));
    expect(data.get('altered')?.equals(new SecretValue('b3RoZXI='))).toBe(true);
    expect(data.get('added')?.equals(new SecretValue(CANARY))).toBe(true);
    expect(read).toMatchObject({ ...raw, type: 'Opaque' });
    expect(JSON.stringify(read)).not.toContain(CANARY);
  });
});
