import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cluster, skipUnless } from '../cluster/cluster.ts';
import { workloadPath } from '../cluster/delivery/workloads.ts';
import { eventually } from '../cluster/eventually.ts';
import { operatorIdentity, startOperator } from '../cluster/operator.ts';
import { conditionOf, declaring, newWorld, type World } from '../cluster/world.ts';
import {
  envIn,
  filesIn,
  idlePod,
  onePod,
  POD_MS,
  resolvedIn,
  runWorkload,
  textIn,
  waitingPod,
} from './pods.ts';

let world: World;

beforeEach((context) => skipUnless(context, 'nodes'));
beforeAll(async () => {
  if (!cluster().features.nodes) return;
  world = await newWorld();
  const { kubeconfig } = await operatorIdentity([world.namespace]);
  await startOperator(kubeconfig, [world.namespace]);
});

const store = (name: string, values: object): Promise<unknown> =>
  cluster().api.patch(world.path('secrets', name), { stringData: values });
const LIVE = { within: POD_MS };

describe('files in /secrets', () => {
  it("are what the store has, byte for byte, readable by the container's user, and nothing else is there", async () => {
    const values: Record<string, string | Uint8Array> = {
      plain: 'value',
      lf: 'a\nb\n',
      crlf: 'a\r\nb\r',
      'with-hyphen.and.dot': 'x',
      utf8: '\ufeff\u{1f511} schlüssel',
      bytes: Uint8Array.from([0, 255, 254, 128, 10, 13, 0]),
      large: 'x'.repeat(500_000),
      space: '   ',
    };
    await world.storeSecret('bytes', { ...values, undeclared: 'no', empty: '' }, { store: 'bytes' });
    const pod = {
      ...idlePod(['model', 'side']),
      initContainers: [{ ...idlePod().containers[0], name: 'fetch', command: ['node', '-e', ''] }],
    };
    await runWorkload(world, 'Deployment', 'bytes', { pod });
    const inline = `secrets:\n${[...Object.keys(values), 'missing', 'empty'].map((name) => `  ${name}: null`).join('\n')}\n  dflt: default\n  other: default\n`;
    await world.model('bytes', {
      config: { inline },
      stores: [{ name: 'bytes' }],
      onMissing: 'Skip',
      overrides: [{ name: 'other', from: { store: 'bytes', key: 'plain' } }],
      workloads: [{ kind: 'Deployment', name: 'bytes', containers: ['*'] }],
    });
    await world.ready('bytes');
    const running = await onePod(world, 'bytes', async (found) =>
      expect(await textIn(world, found, 'plain')).toBe('value'),
    );

    for (const container of ['model', 'side']) {
      const files = (await filesIn(world, running, container)) ?? {};
      const expected = { ...values, other: 'value' };
      expect(Object.keys(files).sort()).toEqual(Object.keys(expected).sort());
      for (const [name, value] of Object.entries(expected)) {
        expect(files[name]?.mode, name).toBe('444');
        expect(Buffer.compare(files[name]?.bytes ?? Buffer.alloc(0), Buffer.from(value)), name).toBe(0);
      }
      const env = Object.keys(await envIn(world, running, container));
      expect(env.filter((name) => name.startsWith('TRUSS_SECRET_'))).toEqual([]);
    }

    const none = Object.fromEntries([...Object.keys(values), 'missing', 'empty'].map((name) => [name, null]));
    expect(await resolvedIn(world, running, { ...none, dflt: 'default', other: 'default' })).toEqual({
      plain: { value: 'value' },
      lf: { value: 'a\nb\n' },
      crlf: { value: 'a\nb\n' },
      'with-hyphen.and.dot': { value: 'x' },
      utf8: { value: '\ufeff\u{1f511} schlüssel' },
      bytes: { error: 'TypeError' },
      large: { value: 'x'.repeat(500_000) },
      space: { value: '   ' },
      missing: { notFound: true },
      empty: { notFound: true },
      dflt: { value: 'default' },
      other: { value: 'value' },
    });
  });

  it.each(['StatefulSet', 'DaemonSet'] as const)('reach the pods of a %s', async (kind) => {
    const name = kind.toLowerCase();
    await world.storeSecret(name, { a: 'A' }, { store: name });
    await runWorkload(world, kind, name);
    await world.model(name, { config: declaring('a'), stores: [{ name }], workloads: [{ kind, name }] });
    await world.ready(name);
    const pod = await onePod(world, name, async (found) => expect(await textIn(world, found, 'a')).toBe('A'));
    expect(await resolvedIn(world, pod, { a: null })).toEqual({ a: { value: 'A' } });
  });

  it('reach the pods of a CronJob', async () => {
    await world.storeSecret('cron', { a: 'A' }, { store: 'cron' });
    await runWorkload(world, 'CronJob', 'cron');
    await world.model('cron', {
      config: declaring('a'),
      stores: [{ name: 'cron' }],
      workloads: [{ kind: 'CronJob', name: 'cron' }],
    });
    await world.ready('cron');
    // as kubectl create job --from=cronjob/cron does it
    const { spec } = await cluster().api.get<{ spec: { jobTemplate: { spec: object } } }>(
      workloadPath(world, 'CronJob', 'cron'),
    );
    const job = { metadata: { name: 'cron' }, spec: spec.jobTemplate.spec };
    await cluster().api.post(`/apis/batch/v1/namespaces/${world.namespace}/jobs`, job);
    const pod = await onePod(world, 'cron');
    expect(await textIn(world, pod, 'a')).toBe('A');
  });
});

describe('a pod that has to wait', () => {
  it('waits for a required name alone, and starts by itself when that is there, without another rollout', async () => {
    const inline = 'secrets:\n  req: null\n  opt: placeholder\n';
    await world.storeSecret('wait', { unrelated: 'x' }, { store: 'wait' });
    await world.model('wait', { config: { inline }, stores: [{ name: 'wait' }], onMissing: 'UseDefault' });
    await runWorkload(world, 'Deployment', 'wait');
    const status = await world.status('wait', ({ workloads }) =>
      expect(workloads?.[0]?.state).toBe('Injected'),
    );
    expect(conditionOf(status.conditions, 'Ready')).toMatchObject({
      status: 'False',
      reason: 'SecretsMissing',
    });
    const waiting = await waitingPod(world, 'wait');
    const { metadata } = await cluster().api.get(workloadPath(world, 'Deployment', 'wait'));

    await store('wait', { req: 'R' });
    await world.status('wait', ({ summary }) => expect(summary).toBe('1/2'));
    const pod = await onePod(world, 'wait', ({ metadata: { uid } }) =>
      expect(uid).toBe(waiting.metadata.uid),
    );
    expect(await resolvedIn(world, pod, { req: null, opt: 'placeholder' })).toEqual({
      req: { value: 'R' },
      opt: { value: 'placeholder' },
    });
    const after = await cluster().api.get(workloadPath(world, 'Deployment', 'wait'));
    expect(after.metadata.generation).toBe(metadata.generation);

    // an optional one turns up in the running container
    await store('wait', { opt: 'O' });
    await eventually(async () => expect(await textIn(world, pod, 'opt')).toBe('O'), LIVE);
    expect((await onePod(world, 'wait')).metadata.uid).toBe(pod.metadata.uid);
  });
});

describe('rotation', () => {
  it('reaches the file of the running container, with no restart and no write to the workload', async () => {
    await world.storeSecret('rotate', { a: '1', b: '1' }, { store: 'rotate' });
    await runWorkload(world, 'Deployment', 'rotate');
    await world.model('rotate', { config: declaring('a', 'b'), stores: [{ name: 'rotate' }] });
    await world.ready('rotate');
    const pod = await onePod(world, 'rotate', async (found) =>
      expect(await textIn(world, found, 'a')).toBe('1'),
    );
    const { metadata } = await cluster().api.get(workloadPath(world, 'Deployment', 'rotate'));
    await store('rotate', { a: '2' });
    await eventually(
      async () => expect(await resolvedIn(world, pod, { a: null })).toEqual({ a: { value: '2' } }),
      LIVE,
    );
    expect(await textIn(world, pod, 'b')).toBe('1');
    const now = await onePod(world, 'rotate');
    expect(now.metadata.uid).toBe(pod.metadata.uid);
    expect(now.status.containerStatuses?.[0]?.restartCount).toBe(0);
    const after = await cluster().api.get(workloadPath(world, 'Deployment', 'rotate'));
    expect(after.metadata.generation).toBe(metadata.generation);
  });
});

describe('trust withdrawn', () => {
  it('takes the files out of the pods', async () => {
    await world.storeSecret('trust', { a: 'A' }, { store: 'trust' });
    await runWorkload(world, 'Deployment', 'trust');
    await world.model('trust', { config: declaring('a'), stores: [{ name: 'trust' }] });
    await world.ready('trust');
    await onePod(world, 'trust', async (pod) => expect(await textIn(world, pod, 'a')).toBe('A'));
    await world.patchModel('trust', { trusted: false });
    const pod = await onePod(world, 'trust', async (found) =>
      expect(await filesIn(world, found)).toBe(undefined),
    );
    expect(await resolvedIn(world, pod, { a: null })).toEqual({ a: { notFound: true } });
  });
});
