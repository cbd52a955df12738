import { describe, expect, it } from 'vitest';
import type { SecretValue } from '../../src/api/secret-value.ts';
import type { Client } from '../../src/kube/client.ts';
import { ApiError, TransportError } from '../../src/kube/errors.ts';
import { fenced, NotLeadingError } from '../../src/kube/fence.ts';
import type { RawObject } from '../../src/kube/object.ts';
import { deployments, modelDeployments, secrets } from '../../src/kube/resource.ts';

const key = { namespace: 'models', name: 'gfpgan' };
const object: RawObject = { metadata: { name: 'gfpgan', uid: 'u', resourceVersion: '1' } };
const contents = { metadata: { ...key, labels: {} }, type: 'Opaque', data: new Map<string, SecretValue>() };
const info = { verb: 'patch', template: '/x' } as const;

/** A client that notes what reaches it, and answers with `end`. */
function clientThat(end: () => Promise<RawObject>) {
  const reached: string[] = [];
  const write = (name: string) => async () => {
    reached.push(name);
    return await end();
  };
  const client: Client = {
    get: write('get'),
    listPage: async () => ({ items: [], resourceVersion: '1', continueToken: undefined }),
    list: async function* () {},
    watch: () => ({ abort: () => {} }),
    getJson: write('getJson'),
    getText: async () => '',
    close: async () => {},
    create: write('create'),
    replaceSecret: async () => ({ kind: 'object', object: await write('replaceSecret')() }),
    replaceStatus: async () => (await write('replaceStatus')()).metadata.resourceVersion,
    mergePatch: write('mergePatch'),
    apply: write('apply'),
    delete: async () => {
      await write('delete')();
      return 'deleted';
    },
  };
  return { client, reached };
}

const writes: readonly (readonly [string, (client: Client) => Promise<unknown>])[] = [
  ['create Secret', (client) => client.create(secrets, 'models', {})],
  ['update Secret', (client) => client.replaceSecret(contents)],
  ['update status of ModelDeployment', (client) => client.replaceStatus(modelDeployments, key, {})],
  ['patch Secret', (client) => client.mergePatch(secrets, key, {})],
  [
    'patch status of ModelDeployment',
    (client) => client.mergePatch(modelDeployments, key, {}, { subresource: 'status' }),
  ],
  ['apply Deployment', (client) => client.apply(deployments, key, {})],
  ['delete Secret', (client) => client.delete(secrets, key, { uid: 'u' })],
];

describe('a fenced client', () => {
  it.each(writes)('%s: only as long as it may, and notes it', async (what, write) => {
    const { client, reached } = clientThat(async () => object);
    const noted: unknown[] = [];
    let may = true;
    const fence = fenced(client, { mayWrite: () => may, onWrite: (...note) => noted.push(note) });
    await write(fence);
    expect(noted).toEqual([[what, undefined]]);
    may = false;
    await expect(write(fence)).rejects.toThrow(NotLeadingError);
    expect(reached).toHaveLength(1);
    expect(noted).toHaveLength(1);
  });

  it('reads whatever happens', async () => {
    const { client, reached } = clientThat(async () => object);
    const fence = fenced(client, { mayWrite: () => false, onWrite: () => {} });
    expect(await fence.get(secrets, key)).toBe(object);
    expect(reached).toEqual(['get']);
  });

  it.each([
    [
      new ApiError(info, {
        code: 409,
        reason: 'Conflict',
        message: 'Invalid value: "v"',
        retryAfterSeconds: undefined,
        conflicts: [],
      }),
      'Conflict',
    ],
    [
      new ApiError(info, { code: 502, reason: '', message: '', retryAfterSeconds: undefined, conflicts: [] }),
      '502',
    ],
    [new TransportError(info, 'timeout', 'no answer'), 'timeout'],
    [new TypeError('value'), 'failed'],
  ])('notes how a write ended, without its message: %s', async (error, failure) => {
    const { client } = clientThat(async () => {
      throw error;
    });
    const noted: unknown[] = [];
    const fence = fenced(client, { mayWrite: () => true, onWrite: (...note) => noted.push(note) });
    await expect(fence.apply(deployments, key, {})).rejects.toBe(error);
    expect(noted).toEqual([['apply Deployment', failure]]);
  });
});
