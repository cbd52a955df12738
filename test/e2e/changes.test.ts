import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ModelDeploymentStatus } from '../../src/api/model-deployment.ts';
import { cluster, skipUnless } from '../cluster/cluster.ts';
import { workloadPath } from '../cluster/delivery/workloads.ts';
import { eventually } from '../cluster/eventually.ts';
import { operatorIdentity, startOperator } from '../cluster/operator.ts';
import { conditionOf, declaring, newWorld, type World } from '../cluster/world.ts';
import {
  envIn,
  filesIn,
  idlePod,
  inPod,
  isReady,
  onePod,
  type Pod,
  POD_MS,
  podsOf,
  resolvedIn,
  runWorkload,
  textIn,
  waitingPod,
} from './pods.ts';
import { startRegistry } from './registry.ts';

let world: World;
/** Another namespace, whose owner shares what he has, or does not. */
let org: World;

beforeEach((context) => skipUnless(context, 'nodes'));
beforeAll(async () => {
  if (!cluster().features.nodes) return;
  [world, org] = await Promise.all([newWorld(), newWorld()]);
  const namespaces = [world.namespace, org.namespace];
  const { kubeconfig } = await operatorIdentity(namespaces);
  await startOperator(kubeconfig, namespaces);
});

const LIVE = { within: POD_MS };
const SHARE = 'truss-secrets.dev/share-with';

const store = (name: string, stringData: object): Promise<unknown> =>
  cluster().api.patch(world.path('secrets', name), { stringData });

const stateOf = ({ secrets }: ModelDeploymentStatus, name: string): string | undefined =>
  secrets?.find((secret) => secret.name === name)?.state;

const isMissing = (status: ModelDeploymentStatus): void =>
  expect(conditionOf(status.conditions, 'Ready')).toMatchObject({
    status: 'False',
    reason: 'SecretsMissing',
  });

const stateIs = (model: string, state: string) =>
  eventually(
    async () => await world.status(model, ({ workloads }) => expect(workloads?.[0]?.state).toBe(state)),
    LIVE,
  );

/** Files by their names, as text. */
async function textsIn(pod: Pod): Promise<Readonly<Record<string, string>>> {
  const files = Object.entries((await filesIn(world, pod)) ?? {});
  return Object.fromEntries(files.map(([name, { bytes }]) => [name, bytes.toString()]));
}

/** Waits until there are an old pod that serves and a new one that does not. */
const oldAndNew = (app: string, old: Pod): Promise<Pod> =>
  eventually(async () => {
    const pods = await podsOf(world, app);
    expect(pods.filter(isReady).map(({ metadata }) => metadata.uid)).toEqual([old.metadata.uid]);
    const [next, ...more] = pods.filter(({ metadata }) => metadata.uid !== old.metadata.uid);
    if (next === undefined || more.length > 0) throw new Error(`${app} has ${pods.length} pods`);
    return next;
  }, LIVE);

/** Waits until kubelet has said this of the pod, at least so often; how often that is by now. */
const kubeletSays = (pod: Pod, reason: string, message: RegExp, atLeast = 1): Promise<number> =>
  eventually(async () => {
    const events = await world.events(pod.metadata.name);
    const found = events.filter((event) => event.reason === reason && message.test(event.message));
    const count = found.reduce((sum, event) => sum + event.count, 0);
    if (count < atLeast)
      throw new Error(`${reason} ${String(message)} ${count} times in ${JSON.stringify(events)}`);
    return count;
  }, LIVE);

const sameAs = (pod: Pod) => (other: Pod) => expect(other.metadata.uid).toBe(pod.metadata.uid);
const notRestarted = async (app: string, pod: Pod): Promise<void> => {
  const now = await onePod(world, app, sameAs(pod));
  expect(now.status.containerStatuses?.[0]?.restartCount).toBe(0);
};

describe('consent that is withdrawn', () => {
  const share = (name: string, text: string): Promise<unknown> =>
    cluster().api.patch(org.path('secrets', name), { metadata: { annotations: { [SHARE]: text } } });

  /** A model with `token` from the other namespace, and `own`, and its pod, which has both. */
  async function sharing(name: string, spec: object = {}): Promise<Pod> {
    const annotations = { [SHARE]: `other, ${world.namespace}` };
    await org.storeSecret(name, { [`token-of-${name}`]: 'T' }, { store: 'org', annotations });
    await world.storeSecret(name, { own: '1' }, { store: name });
    await runWorkload(world, 'Deployment', name);
    await world.model(name, {
      config: declaring('token', 'own'),
      stores: [{ name: 'org', namespace: org.namespace }, { name }],
      overrides: [{ name: 'token', from: { store: 'org', key: `token-of-${name}` } }],
      ...spec,
    });
    await world.ready(name);
    return await onePod(world, name, async (pod) =>
      expect(await resolvedIn(world, pod, { token: null, own: null })).toEqual({
        token: { value: 'T' },
        own: { value: '1' },
      }),
    );
  }

  it('leaves a required file in the pod that runs, as the status says, until the name is dropped', async () => {
    const GONE = /non-existent secret key: token/;
    const pod = await sharing('frozen');
    await share('frozen', 'other');
    const status = await stateIs('frozen', 'Frozen');
    isMissing(status);
    expect(stateOf(status, 'token')).toBe('Missing');
    expect(stateOf(status, 'own')).toBe('Delivered');
    expect(status.workloads?.[0]?.message).toMatch(/^token went away while pods run/);
    expect(await world.delivered('frozen')).toEqual({ own: Buffer.from('1') });

    await store('frozen', { own: '2' });
    await eventually(async () => expect(await world.delivered('frozen')).toEqual({ own: Buffer.from('2') }));
    // kubelet goes on looking, and cannot refresh the files
    const looks = await kubeletSays(pod, 'FailedMount', GONE);
    await kubeletSays(pod, 'FailedMount', GONE, looks + 2);
    expect(await textsIn(pod)).toEqual({ token: 'T', own: '1' });

    // as kubectl rollout restart does it: the new pod waits, and the old one serves for as long
    const restartedAt = { metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': 'now' } } };
    await cluster().api.patch(workloadPath(world, 'Deployment', 'frozen'), {
      spec: { template: restartedAt },
    });
    const next = await oldAndNew('frozen', pod);
    await kubeletSays(next, 'FailedMount', GONE);
    expect(await textsIn(pod)).toEqual({ token: 'T', own: '1' });
    await stateIs('frozen', 'Frozen');

    await world.patchModel('frozen', { config: declaring('own') });
    await onePod(world, 'frozen', async (found) => expect(await textsIn(found)).toEqual({ own: '2' }));
    await stateIs('frozen', 'Injected');
  });

  it('keeps the variable of the pod that runs, and its successor waits until there is consent again', async () => {
    const pod = await sharing('env', { delivery: 'Env' });
    await share('env', 'other');
    isMissing(await world.status('env', (status) => expect(stateOf(status, 'token')).toBe('Missing')));
    const next = await oldAndNew('env', pod);
    await kubeletSays(next, 'Failed', /couldn't find key token in Secret/);
    expect(await envIn(world, pod)).toMatchObject({ TRUSS_SECRET_token: 'T' });

    await share('env', world.namespace);
    await world.ready('env');
    await onePod(world, 'env', sameAs(next));
    expect(await envIn(world, next)).toMatchObject({ TRUSS_SECRET_token: 'T', TRUSS_SECRET_own: '1' });
  });

  it.each([
    ['Skip', { fallback: null, state: 'Missing', found: { notFound: true } }],
    ['UseDefault', { fallback: 'mine', state: 'UsingDefault', found: { value: 'mine' } }],
  ] as const)(
    'with onMissing: %s takes the file out of the container that runs, and its return brings it back',
    async (onMissing, { fallback, state, found }) => {
      const name = onMissing.toLowerCase();
      const inline = `secrets:\n  token: ${fallback}\n  own: null\n`;
      const pod = await sharing(name, { onMissing, config: { inline } });
      await share(name, `other, ${world.namespace}/other`);
      const status = await world.status(name, (now) => expect(stateOf(now, 'token')).toBe(state));
      expect(conditionOf(status.conditions, 'Ready')).toMatchObject({ status: 'True' });
      expect(status.workloads?.[0]?.state).toBe('Injected');
      await store(name, { own: '2' });
      await eventually(async () => expect(await textsIn(pod)).toEqual({ own: '2' }), LIVE);
      expect(await resolvedIn(world, pod, { token: fallback })).toEqual({ token: found });

      await share(name, `other, ${world.namespace}/${name}`);
      await eventually(async () => expect(await textsIn(pod)).toEqual({ token: 'T', own: '2' }), LIVE);
      await notRestarted(name, pod);
    },
  );
});

describe('onMissing that changes while a name is missing', () => {
  const config = declaring('there', 'missing');

  it('from Wait to Skip has the pod that waits give way to one that starts without the file', async () => {
    await world.storeSecret('to-skip', { there: 'T' }, { store: 'to-skip' });
    await world.model('to-skip', { config, stores: [{ name: 'to-skip' }] });
    await runWorkload(world, 'Deployment', 'to-skip');
    const waiting = await waitingPod(world, 'to-skip');
    isMissing(await stateIs('to-skip', 'Injected'));

    await world.patchModel('to-skip', { onMissing: 'Skip' });
    await world.ready('to-skip');
    const pod = await onePod(world, 'to-skip', async (found) =>
      expect(await textsIn(found)).toEqual({ there: 'T' }),
    );
    expect(pod.metadata.uid).not.toBe(waiting.metadata.uid);
    expect(await resolvedIn(world, pod, { missing: null })).toEqual({ missing: { notFound: true } });
  });

  it('from Skip to Wait has new pods wait, while the old one serves and sees what changes', async () => {
    await world.storeSecret('to-wait', { there: '1' }, { store: 'to-wait' });
    await runWorkload(world, 'Deployment', 'to-wait');
    await world.model('to-wait', { config, stores: [{ name: 'to-wait' }], onMissing: 'Skip' });
    await world.ready('to-wait');
    const old = await onePod(world, 'to-wait', async (found) =>
      expect(await textsIn(found)).toEqual({ there: '1' }),
    );
    await world.patchModel('to-wait', { onMissing: 'Wait' });
    const next = await oldAndNew('to-wait', old);
    await kubeletSays(next, 'FailedMount', /non-existent secret key: missing/);
    // no file went away from a pod that runs
    isMissing(await stateIs('to-wait', 'Injected'));
    await store('to-wait', { there: '2' });
    await eventually(async () => expect(await textIn(world, old, 'there')).toBe('2'), LIVE);

    await store('to-wait', { missing: 'M' });
    await world.ready('to-wait');
    await onePod(world, 'to-wait', sameAs(next));
    expect(await textsIn(next)).toEqual({ there: '2', missing: 'M' });
  });

  it('from Wait to UseDefault lets pods start with a default, which what is false in Python, and ***, is not', async () => {
    const defaults = { stars: '"***"', blank: "''", falsy: 'false', zero: '0', nothing: 'null' };
    const none = Object.keys(defaults);
    const lines = Object.entries({ ...defaults, real: 'placeholder' }).map(
      ([key, text]) => `  ${key}: ${text}\n`,
    );
    const inline = `secrets:\n${lines.join('')}`;
    await world.storeSecret('default', { unrelated: 'x' }, { store: 'default-store' });
    await world.model('default', { config: { inline }, stores: [{ name: 'default-store' }] });
    await runWorkload(world, 'Deployment', 'default');
    const first = await waitingPod(world, 'default');
    await kubeletSays(first, 'FailedMount', /non-existent secret key/);

    await world.patchModel('default', { onMissing: 'UseDefault' });
    const status = await world.status('default', (now) => expect(stateOf(now, 'real')).toBe('UsingDefault'));
    for (const name of none) expect(stateOf(status, name), name).toBe('Missing');
    isMissing(status);
    const second = await eventually(async () => {
      const next = await waitingPod(world, 'default');
      expect(next.metadata.uid).not.toBe(first.metadata.uid);
      return next;
    }, LIVE);
    await kubeletSays(second, 'FailedMount', /non-existent secret key/);

    const values = Object.fromEntries(none.map((name) => [name, `value of ${name}`]));
    await store('default', values);
    await world.ready('default');
    await onePod(world, 'default', sameAs(second));
    expect(await textsIn(second)).toEqual(values);
    const found = await resolvedIn(world, second, {
      stars: '***',
      blank: '',
      nothing: null,
      real: 'placeholder',
    });
    expect(found).toEqual({
      stars: { value: 'value of stars' },
      blank: { value: 'value of blank' },
      nothing: { value: 'value of nothing' },
      real: { value: 'placeholder' },
    });
  });
});

describe('a model with as many names as it may have', () => {
  it('has 1,024 files in its container, byte for byte, and sees one of them change', async () => {
    const values: Record<string, Buffer> = Object.fromEntries(
      Array.from({ length: 1024 }, (_, index) => [`name-${index}`, Buffer.from(`value ${index}\r\n`)]),
    );
    values['name-0'] = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    values['name-1023'] = Buffer.alloc(300_000, 'x');
    await world.storeSecret('many', values, { store: 'many' });
    await runWorkload(world, 'Deployment', 'many');
    await world.model('many', { config: declaring(...Object.keys(values)), stores: [{ name: 'many' }] });
    const { summary } = await world.ready('many');
    expect(summary).toBe('1024/1024');
    const pod = await onePod(world, 'many', async (found) =>
      expect(await filesIn(world, found)).toBeDefined(),
    );
    const files = (await filesIn(world, pod)) ?? {};
    expect(Object.keys(files)).toHaveLength(1024);
    const different = Object.entries(values).filter(
      ([name, value]) => files[name] === undefined || !value.equals(files[name].bytes),
    );
    expect(different.map(([name]) => name)).toEqual([]);

    await store('many', { 'name-512': 'rotated' });
    await eventually(async () => expect(await textIn(world, pod, 'name-512')).toBe('rotated'), LIVE);
    await notRestarted('many', pod);
  });
});

describe('a registry that asks for a password', () => {
  it('gives the image to pods of the model when the delivered credential is right, which a rotation makes it', async () => {
    const registry = await startRegistry(world, 'puller:right');
    await world.storeSecret('pull', { token: 'T', registry: 'puller:wrong' }, { store: 'pull' });
    const inline = `
base_image:
  image: ${registry.image}
  docker_auth: {auth_method: REGISTRY_SECRET, registry: '${registry.host}', secret_name: registry}
secrets:
  token: null
`;
    // the model first, so that no pod starts without its credential
    await world.model('pull', { config: { inline }, stores: [{ name: 'pull' }] });
    const containers = idlePod().containers.map((container) => ({
      ...container,
      image: registry.image,
      imagePullPolicy: 'Always',
      command: ['/bin/busybox', 'sleep', '1000000'],
    }));
    await runWorkload(world, 'Deployment', 'pull', { pod: { containers, nodeName: registry.nodeName } });
    await world.ready('pull');
    const refused = await waitingPod(world, 'pull');
    await kubeletSays(refused, 'Failed', /failed to pull.*(?:40[13]|unauthorized|authorization failed)/i);

    await store('pull', { registry: 'puller:right' });
    const pod = await onePod(world, 'pull', sameAs(refused));
    await kubeletSays(pod, 'Pulled', /successfully pulled/i);
    const { stdout } = await inPod(world, pod, ['/bin/busybox', 'cat', '/secrets/token']);
    expect(stdout).toBe('T');
    const events = await world.events(pod.metadata.name);
    expect(events.map(({ reason }) => reason)).not.toContain('FailedToRetrieveImagePullSecret');
  });
});
