import { describe, expect, it } from 'vitest';
import { API_VERSION } from '../../../src/api/names.ts';
import { SecretValue } from '../../../src/api/secret-value.ts';
import { ApiError, isApiError } from '../../../src/kube/errors.ts';
import type { RawObject } from '../../../src/kube/object.ts';
import {
  configMaps,
  deployments,
  events,
  modelTrusts,
  namespaces,
  secrets,
} from '../../../src/kube/resource.ts';
import { secretBody, secretData } from '../../../src/kube/secret-body.ts';
import { eventually } from '../eventually.ts';
import { type Rig, rig } from './rig.ts';

const CANARY = Buffer.from('canary-value').toString('base64');

const labels = { app: 'model' };
const containers = [{ name: 'model', image: 'example.test/model' }];
const deployment = {
  metadata: { name: 'gfpgan' },
  spec: {
    replicas: 0,
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers } },
  },
};

/** What we would apply onto a workload: our annotation alone. */
const annotated = (uid: string, value: string) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'gfpgan', uid, annotations: { 'example.test/ours': value } },
});
const intentOf = (uid: string) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'gfpgan', uid },
});

const refused = async (call: Promise<unknown>): Promise<ApiError> => {
  const error: unknown = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof ApiError) return error;
  throw new Error('the API server did not refuse it', { cause: error });
};

const configMap = ({ client, namespace }: Rig, name: string, data = {}): Promise<RawObject> =>
  client.create(configMaps, namespace, { metadata: { name }, data });

describe('the client', () => {
  it('creates, reads, patches and deletes', async () => {
    const one = await rig();
    const { client, namespace } = one;
    const key = { namespace, name: 'a' };
    expect(await client.get(configMaps, key)).toBeUndefined();
    const made = await configMap(one, 'a', { k: 'one' });
    expect(await client.get(configMaps, key)).toMatchObject({ kind: 'ConfigMap', data: { k: 'one' } });
    expect(await client.mergePatch(configMaps, key, { data: { k: null, l: 'three' } })).toMatchObject({
      data: { l: 'three' },
    });
    expect(await client.delete(configMaps, key, { uid: made.metadata.uid })).toBe('deleted');
    expect(await client.delete(configMaps, key, { uid: made.metadata.uid })).toBe('gone');
  });

  it('reads cluster-scoped objects', async () => {
    const { client, namespace } = await rig();
    const found = await client.get(namespaces, { namespace: '', name: namespace });
    expect(found?.metadata.name).toBe(namespace);
  });

  it('says AlreadyExists and Conflict', async () => {
    const one = await rig();
    const made = await configMap(one, 'a');
    expect(isApiError(await refused(configMap(one, 'a')), 'AlreadyExists')).toBe(true);
    await one.api.patch(`/api/v1/namespaces/${one.namespace}/configmaps/a`, { data: { by: 'another' } });
    const key = { namespace: one.namespace, name: 'a' };
    const { resourceVersion } = made.metadata;
    const patch = one.client.mergePatch(configMaps, key, { metadata: { resourceVersion } });
    expect(isApiError(await refused(patch), 'Conflict')).toBe(true);
  });

  it('deletes only the object and the version that were meant', async () => {
    const one = await rig();
    const { uid, resourceVersion } = (await configMap(one, 'a')).metadata;
    const key = { namespace: one.namespace, name: 'a' };
    const another = await refused(one.client.delete(configMaps, key, { uid: '0' }));
    expect([another.status, another.reason]).toEqual([409, 'Conflict']);
    await one.api.patch(`/api/v1/namespaces/${one.namespace}/configmaps/a`, { data: { by: 'another' } });
    expect((await refused(one.client.delete(configMaps, key, { uid, resourceVersion }))).status).toBe(409);
    expect(await one.client.delete(configMaps, key, { uid })).toBe('deleted');
  });

  it('lists more than a page, in all namespaces or in one', async () => {
    const one = await rig();
    const names = Array.from({ length: 7 }, (_, at) => `c-${at}`);
    await Promise.all(names.map((name) => configMap(one, name)));
    const sizes: number[] = [];
    const found: string[] = [];
    for await (const page of one.client.list(configMaps, { namespace: one.namespace, limit: 3 })) {
      sizes.push(page.length);
      found.push(...page.map(({ metadata }) => metadata.name));
    }
    expect(found).toEqual(expect.arrayContaining(names));
    expect(sizes.slice(0, 2)).toEqual([3, 3]);
    for await (const page of one.client.list(configMaps, { labelSelector: 'none=such' }))
      expect(page).toEqual([]);
  });

  it('reads more than 500 objects', async () => {
    const one = await rig();
    const names = Array.from({ length: 510 }, (_, at) => `c-${String(at).padStart(3, '0')}`);
    await Promise.all(names.map((name) => configMap(one, name)));
    const found: string[] = [];
    for await (const page of one.client.list(configMaps, { namespace: one.namespace, as: 'metadata' })) {
      found.push(...page.map(({ metadata }) => metadata.name));
    }
    expect(found.filter((name) => name.startsWith('c-'))).toEqual(names);
    expect(one.proxy.count({ path: /continue=/ })).toBe(1);
  });

  it('gets metadata alone where it is asked to, of reads and of writes', async () => {
    const { client, namespace } = await rig();
    const key = { namespace, name: 'a' };
    const body = { metadata: { name: 'a' }, data: { k: 'v' } };
    const made = await client.create(configMaps, namespace, body, { as: 'metadata' });
    const answers = [
      made,
      await client.get(configMaps, key, { as: 'metadata' }),
      await client.mergePatch(configMaps, key, { data: { k: 'w' } }, { as: 'metadata' }),
    ];
    for (const answer of answers) {
      expect(answer?.kind).toBe('PartialObjectMetadata');
      expect(answer?.['data']).toBeUndefined();
      expect(answer?.metadata.uid).toBe(made.metadata.uid);
    }
  });

  it.each([
    ['', {}],
    [', also where an annotation has that name', { resourceVersion: '1' }],
  ])('replaces a status, and reads the new resourceVersion%s', async (_, annotations) => {
    const { client, namespace } = await rig();
    const key = { namespace, name: 'gfpgan' };
    // of a model that is not there: no controller has any business with it, and none writes it meanwhile
    const body = { apiVersion: API_VERSION, kind: 'ModelTrust', metadata: { name: 'gfpgan', annotations } };
    const made = await client.create(modelTrusts, namespace, { ...body, spec: { secrets: ['a'] } });
    const version = await client.replaceStatus(modelTrusts, key, { ...made, status: { modelUid: 'u' } });
    const now = await client.get(modelTrusts, key);
    expect(now).toMatchObject({ metadata: { resourceVersion: version }, status: { modelUid: 'u' } });
    expect(version).not.toBe(made.metadata.resourceVersion);
  });

  it('reads any path', async () => {
    const { client } = await rig();
    expect(await client.getText('/readyz')).toBe('ok');
    expect(await client.getJson('/version')).toMatchObject({ major: '1' });
  });

  it('writes events', async () => {
    const { client, namespace } = await rig();
    const made = await client.create(events, namespace, {
      metadata: { generateName: 'gfpgan.' },
      involvedObject: { kind: 'ConfigMap', namespace, name: 'a' },
      reason: 'Tested',
      message: 'a test',
      count: 1,
    });
    expect(made['reason']).toBe('Tested');
  });

  it('asks for the object of that name whatever characters it has', async () => {
    const { client, namespace, proxy } = await rig();
    const names = ['a?b', 'a#b', 'a b', 'a;b', '..%2f..', 'a/b'];
    for (const name of names) {
      // No object has such a name: 404, or 400 where a path can't hold it.
      const answer = await client
        .get(configMaps, { namespace, name })
        .catch((error: unknown) => isApiError(error, 400));
      expect(answer === undefined || answer).toBe(true);
    }
    const asked = proxy.seen.map(({ path }) => path.split('/').slice(5));
    expect(asked).toEqual(names.map((name) => ['configmaps', encodeURIComponent(name)]));
  });

  it('tells its observer what it did', async () => {
    const { client, namespace, reports } = await rig();
    await client.get(configMaps, { namespace, name: 'a' });
    expect(reports).toEqual([
      {
        verb: 'get',
        template: '/api/v1/namespaces/{namespace}/configmaps/{name}',
        code: 404,
        durationMs: expect.any(Number),
      },
    ]);
  });

  it('works on a few connections for many calls', async () => {
    const { client, namespace, proxy } = await rig();
    const calls = Array.from({ length: 300 }, (_, at) =>
      client.get(configMaps, { namespace, name: `a${at}` }),
    );
    await Promise.all(calls);
    expect(proxy.connections).toBeLessThanOrEqual(32);
  });
});

const metadata = (namespace: string) => ({ namespace, name: 'a' });

describe('the client, with Secrets', () => {
  it('writes values and reads them back', async () => {
    const { client, namespace } = await rig();
    const values = new Map([['k', new SecretValue(CANARY)]]);
    const made = await client.create(
      secrets,
      namespace,
      secretBody({ metadata: metadata(namespace), type: 'Opaque', data: values }),
    );
    expect(secretData(made).get('k')?.equals(new SecretValue(CANARY))).toBe(true);
    const key = { namespace, name: 'a' };
    const more = await client.mergePatch(secrets, key, { data: { l: new SecretValue('bA==') } });
    expect([...secretData(more).keys()]).toEqual(['k', 'l']);
  });

  /** A Secret as the operator makes it, and what is to replace it. */
  const ours = async (one: Rig) => {
    const { client, namespace } = one;
    // one that is there: what belongs to nobody is collected as garbage
    const { uid: ownerUid } = (await configMap(one, 'owner')).metadata;
    const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: ownerUid, controller: true };
    const own = {
      labels: { 'example.test/managed': 'us' },
      annotations: { 'example.test/revision': '1' },
      ownerReferences: [owner],
    };
    const contents = (data: Record<string, string>) => ({
      type: 'Opaque',
      data: new Map(Object.entries(data).map(([key, value]) => [key, new SecretValue(value)])),
    });
    const first = { metadata: { ...metadata(namespace), ...own }, ...contents({ k: CANARY }) };
    const { uid, resourceVersion } = (await client.create(secrets, namespace, secretBody(first))).metadata;
    const replacement = {
      metadata: { ...metadata(namespace), uid, resourceVersion, ...own },
      ...contents({ z: 'eg==', 'a.b': CANARY, k: 'bmV3' }),
    };
    return { replacement, path: `/api/v1/namespaces/${namespace}/secrets/a` };
  };

  it('replaces one, and need not read the answer that says what was sent', async () => {
    const one = await rig();
    const { replacement } = await ours(one);

    const stored = await one.client.replaceSecret(replacement);

    const now = await one.client.get(secrets, metadata(one.namespace));
    expect(stored).toEqual({ kind: 'as-sent', resourceVersion: now?.metadata.resourceVersion });
    const { resourceVersion: _before, ...sent } = replacement.metadata;
    expect(now).toMatchObject({
      metadata: sent,
      type: 'Opaque',
      data: { k: 'bmV3', 'a.b': CANARY, z: 'eg==' },
    });
  });

  it('reads the answer where somebody else has a part in the Secret', async () => {
    const one = await rig();
    const { replacement, path } = await ours(one);
    const theirs = { 'example.test/theirs': 'x' };
    const by = `${path}?fieldManager=somebody`;
    const { resourceVersion } = (await one.api.patch(by, { metadata: { annotations: theirs } })).metadata;
    const annotations = { ...replacement.metadata.annotations, ...theirs };

    const stored = await one.client.replaceSecret({
      ...replacement,
      metadata: { ...replacement.metadata, resourceVersion, annotations },
    });

    expect(stored).toMatchObject({ kind: 'object', object: { metadata: { annotations } } });
  });

  it('does not replace one that has changed meanwhile', async () => {
    const one = await rig();
    const { replacement, path } = await ours(one);
    await one.api.patch(path, { data: { by: 'YW5vdGhlcg==' } });

    expect(isApiError(await refused(one.client.replaceSecret(replacement)), 'Conflict')).toBe(true);
  });

  it('says no more of an error than code and reason', async () => {
    const { client, namespace } = await rig();
    const body = { metadata: metadata(namespace), data: { 'not a key!': new SecretValue(CANARY) } };
    const invalid = await refused(client.create(secrets, namespace, body));
    expect(invalid.message).toBe(
      'create /api/v1/namespaces/{namespace}/secrets: the API server answered 422 Invalid',
    );
    const garbled = await refused(
      client.create(secrets, namespace, { ...body, data: { k: 'canary, not base64' } }),
    );
    expect(JSON.stringify(garbled, Object.getOwnPropertyNames(garbled))).not.toContain('canary');
  });
});

/** A Deployment of somebody else. */
async function applied(): Promise<Rig & { uid: string; key: { namespace: string; name: string } }> {
  const one = await rig();
  const { uid } = (await one.api.post(`/apis/apps/v1/namespaces/${one.namespace}/deployments`, deployment))
    .metadata;
  return { ...one, uid, key: { namespace: one.namespace, name: 'gfpgan' } };
}

describe('server-side apply', () => {
  it('adds its fields, and takes them out again when they are left out', async () => {
    const { client, key, uid } = await applied();
    const now = await client.apply(deployments, key, annotated(uid, 'x'));
    expect(now.metadata.annotations?.['example.test/ours']).toBe('x');
    expect(now.metadata.managedFields?.map(({ manager }) => manager)).toContain('truss-secrets');
    const undone = await client.apply(deployments, key, intentOf(uid));
    expect(undone.metadata.annotations?.['example.test/ours']).toBeUndefined();
    expect(undone.metadata.managedFields?.map(({ manager }) => manager)).not.toContain('truss-secrets');
  });

  it('says who holds a field, and takes it only by force', async () => {
    const { client, api, key, uid, namespace } = await applied();
    const path = `/apis/apps/v1/namespaces/${namespace}/deployments/gfpgan?fieldManager=somebody`;
    await api.patch(path, annotated(uid, 'theirs'), 'apply-patch');
    const error = await refused(client.apply(deployments, key, annotated(uid, 'ours')));
    expect([error.status, error.reason]).toEqual([409, 'Conflict']);
    expect(error.conflicts).toEqual([
      { manager: 'somebody', field: '.metadata.annotations.example.test/ours' },
    ]);
    const forced = await client.apply(deployments, key, annotated(uid, 'ours'), { force: true });
    expect(forced.metadata.annotations?.['example.test/ours']).toBe('ours');
  });

  it('never creates with a uid in its body', async () => {
    const { client, namespace, uid } = await applied();
    const key = { namespace, name: 'gone' };
    const body = { ...annotated(uid, 'x'), metadata: { name: 'gone', uid } };
    expect(isApiError(await refused(client.apply(deployments, key, body)), 'Conflict')).toBe(true);
    expect(await client.get(deployments, key)).toBeUndefined();
  });
});

describe('a watch of the client', () => {
  it('can be ended, and is heard of no more', async () => {
    const one = await rig();
    const heard: string[] = [];
    const { resourceVersion } = await one.client.listPage(configMaps, { namespace: one.namespace });
    const stream = one.client.watch(
      configMaps,
      // of its own ConfigMap alone: the control plane puts one into each new namespace
      {
        namespace: one.namespace,
        fieldSelector: 'metadata.name=a',
        resourceVersion,
        timeoutSeconds: 60,
      },
      {
        opened: () => heard.push('opened'),
        event: (event) => heard.push(event.kind),
        progress: () => {},
        ended: () => heard.push('ended'),
      },
    );
    await eventually(() => expect(heard).toEqual(['opened']));
    await configMap(one, 'a');
    await eventually(() => expect(heard).toEqual(['opened', 'applied']));
    stream.abort();
    await eventually(() => expect(one.proxy.openWatches).toBe(0));
    expect(heard).toEqual(['opened', 'applied']);
  });
});
