import { beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../eventually.ts';
import { allOutput, operatorIdentity, startOperator } from '../operator.ts';
import { conditionOf, declaring, newWorld, orUndefined, type World } from '../world.ts';
import { cluster } from '../cluster.ts';

/** Found in any output, this is a leak. */
const CANARY = 'canary-5f1d9c';

let world: World;
let other: World;

beforeAll(async () => {
  [world, other] = await Promise.all([newWorld(), newWorld()]);
  const { kubeconfig } = await operatorIdentity([world.namespace, other.namespace]);
  await startOperator(kubeconfig, [world.namespace, other.namespace]);
});

const mounted = async (name: string): Promise<unknown> =>
  (await world.podSpec(name)).volumes?.find((volume) => volume.name === 'truss-secrets')?.projected;

describe('a model gets what it declares', () => {
  it('byte for byte: newlines, CRLF, UTF-8, arbitrary bytes, 500 KB', async () => {
    const values = {
      lf: `${CANARY}\n`,
      crlf: `${CANARY}\r\nb\r`,
      utf8: `${CANARY} \u{1f511} schl\u00fcssel`,
      bytes: Uint8Array.from([0, 255, 254, 128, 10, 13, 0]),
      large: Buffer.alloc(500_000, CANARY),
    };
    await world.storeSecret('bytes', { ...values, undeclared: CANARY });
    await world.deployment('bytes');
    await world.model('bytes', { config: declaring(...Object.keys(values)) });
    await world.ready('bytes');
    const delivered = await world.delivered('bytes');
    expect(Object.keys(delivered ?? {}).sort()).toEqual(Object.keys(values).sort());
    for (const [key, value] of Object.entries(values)) {
      expect(Buffer.compare(delivered?.[key] ?? Buffer.alloc(0), Buffer.from(value)), key).toBe(0);
    }
  });

  it('from a ConfigMap, and is woken when that appears, changes, breaks and is mended', async () => {
    await world.storeSecret('cm', { cm_a: CANARY, cm_b: CANARY });
    await world.deployment('cm');
    await world.model('cm', { config: { configMapRef: { name: 'cm' } } });
    const missing = await world.status('cm', ({ conditions }) => {
      expect(conditionOf(conditions, 'ConfigValid')).toMatchObject({
        status: 'False',
        reason: 'ConfigMapMissing',
      });
    });
    expect(conditionOf(missing.conditions, 'Ready')?.message).toContain('kubectl -n');

    await world.configMap('cm', 'secrets:\n  cm_a: null\n');
    expect(await world.ready('cm')).toMatchObject({ summary: '1/1' });

    const replace = (text: string): Promise<unknown> =>
      cluster().api.patch(world.path('configmaps', 'cm'), { data: { 'config.yaml': text } });
    await replace('secrets:\n  cm_a: null\n  cm_b: null\n');
    await world.status('cm', ({ summary }) => expect(summary).toBe('2/2'));

    await replace('secrets:\n  cm_a: [\n');
    const broken = await world.status('cm', ({ conditions }) => {
      expect(conditionOf(conditions, 'ConfigValid')).toMatchObject({
        status: 'False',
        reason: 'ConfigMalformed',
      });
    });
    expect(conditionOf(broken.conditions, 'ConfigValid')?.message).toMatch(/config\.yaml:\d+:\d+: /);
    expect(Object.keys((await world.delivered('cm')) ?? {}).sort()).toEqual(['cm_a', 'cm_b']);

    await replace('secrets:\n  cm_b: null\n');
    await world.status('cm', ({ summary }) => expect(summary).toBe('1/1'));
    expect(Object.keys((await world.delivered('cm')) ?? {})).toEqual(['cm_b']);
  });

  it('as environment variables with the prefix, and under plain names beside', async () => {
    await world.storeSecret('env', { env_a: CANARY, ENV_B: CANARY });
    await world.deployment('env');
    await world.model('env', {
      config: declaring('env_a', 'env_b'),
      delivery: 'Env',
      overrides: [{ name: 'env_b', from: { store: 'default', key: 'ENV_B' }, env: ['HF_TOKEN'] }],
    });
    await world.ready('env');
    const env = (await world.podSpec('env')).containers[0]?.env?.map(({ name, valueFrom }) => [
      name,
      valueFrom?.secretKeyRef,
    ]);
    expect(env).toEqual([
      ['TRUSS_SECRET_env_a', { name: 'env-truss-secrets', key: 'env_a' }],
      ['TRUSS_SECRET_env_b', { name: 'env-truss-secrets', key: 'env_b' }],
      ['HF_TOKEN', { name: 'env-truss-secrets', key: 'env_b' }],
    ]);
    expect((await world.podSpec('env')).volumes ?? []).toEqual([]);
  });

  it('with delivery None the Secret alone', async () => {
    await world.storeSecret('none', { none_a: CANARY });
    await world.deployment('none');
    await world.model('none', { config: declaring('none_a'), delivery: 'None' });
    const status = await world.ready('none');
    expect(conditionOf(status.conditions, 'Injected')?.reason).toBe('NoWorkloads');
    expect(Object.keys((await world.delivered('none')) ?? {})).toEqual(['none_a']);
    expect(await mounted('none')).toBeUndefined();
  });

  it('never from another namespace, whatever is labelled there', async () => {
    await other.storeSecret('elsewhere', { foreign: CANARY });
    await world.deployment('foreign');
    await world.model('foreign', { config: declaring('foreign') });
    await world.status('foreign', ({ secrets }) => expect(secrets?.[0]?.state).toBe('Missing'));
    await world.patchModel('foreign', { stores: [{ name: 'default', namespace: other.namespace }] });
    await world.status('foreign', ({ secrets }) => expect(secrets?.[0]?.state).toBe('Missing'));
    expect(await world.delivered('foreign')).toEqual({});
  });
});

describe('it wakes up by itself', () => {
  it('when the workload appears, and when the Secret does, changes and goes', async () => {
    await world.model('wakes', { config: declaring('wakes_a') });
    await world.status('wakes', ({ workloads }) => expect(workloads?.[0]?.state).toBe('Waiting'));
    await world.deployment('wakes');
    await world.status('wakes', ({ workloads }) => expect(workloads?.[0]?.state).toBe('Injected'));
    expect(await mounted('wakes')).toBeDefined();

    await world.storeSecret('wakes', { wakes_a: `${CANARY}1` });
    await world.ready('wakes');
    const before = await cluster().api.get(world.path('deployments', 'wakes'));
    await cluster().api.patch(world.path('secrets', 'wakes'), { data: { wakes_a: btoa(`${CANARY}2`) } });
    await eventually(async () =>
      expect((await world.delivered('wakes'))?.['wakes_a']?.toString()).toBe(`${CANARY}2`),
    );

    await cluster().api.patch(world.path('secrets', 'wakes'), {
      metadata: { labels: { 'truss-secrets.dev/store': null } },
    });
    await world.status('wakes', ({ secrets }) => expect(secrets?.[0]?.state).toBe('Missing'));
    expect(await world.delivered('wakes')).toEqual({});
    const after = await cluster().api.get(world.path('deployments', 'wakes'));
    expect(after.metadata.generation, 'a rotation writes nothing to the workload').toBe(
      before.metadata.generation,
    );
  });
});

describe('trust', () => {
  it('without it nothing is delivered; with it everything; revoked, all of it is taken back', async () => {
    await world.storeSecret('trust', { trust_a: CANARY });
    await world.deployment('trust');
    await world.model('trust', { trusted: false, config: declaring('trust_a') });
    const untrusted = await world.status('trust', ({ secrets }) =>
      expect(secrets?.[0]?.state).toBe('Untrusted'),
    );
    expect(conditionOf(untrusted.conditions, 'Ready')).toMatchObject({
      status: 'False',
      reason: 'Untrusted',
    });
    expect(conditionOf(untrusted.conditions, 'Stalled')).toBeUndefined();
    expect(await world.delivered('trust')).toBeUndefined();
    expect(await mounted('trust')).toBeUndefined();

    await world.patchModel('trust', { trusted: true });
    await world.ready('trust');
    expect(await mounted('trust')).toBeDefined();

    await world.patchModel('trust', { trusted: false });
    await world.status('trust', ({ conditions }) =>
      expect(conditionOf(conditions, 'Trusted')?.status).toBe('False'),
    );
    expect(await world.delivered('trust')).toBeUndefined();
    expect(await mounted('trust')).toBeUndefined();
    const { metadata } = await cluster().api.get(world.path('deployments', 'trust'));
    expect(metadata.annotations ?? {}).not.toHaveProperty('truss-secrets.dev/model');
    await eventually(async () => {
      const reasons = (await world.events('trust')).map(({ reason }) => reason);
      expect(reasons).toEqual(expect.arrayContaining(['Untrusted', 'Ready']));
    });
  });
});

describe('what somebody edits is put back', () => {
  it('the delivered Secret: a value, a key too many, the label, immutable, deleted', async () => {
    const { api } = cluster();
    await world.storeSecret('edits', { edits_a: CANARY });
    await world.deployment('edits');
    await world.model('edits', { config: declaring('edits_a') });
    await world.ready('edits');
    const path = world.path('secrets', 'edits-truss-secrets');
    const right = async (): Promise<void> => {
      await eventually(async () => {
        const { data, metadata, ...rest } = await api.get(path);
        expect(data).toEqual({ edits_a: btoa(CANARY) });
        expect(metadata.labels).toMatchObject({ 'app.kubernetes.io/managed-by': 'truss-secrets' });
        expect(rest).not.toMatchObject({ immutable: true });
      });
    };
    await api.patch(path, {
      data: { edits_a: btoa('x'), more: btoa('y') },
      metadata: { labels: { mine: 'stays' } },
    });
    await right();
    expect((await api.get(path)).metadata.labels).toMatchObject({ mine: 'stays' });
    await api.patch(path, { metadata: { labels: { 'app.kubernetes.io/managed-by': null } } });
    await right();
    await api.patch(path, { immutable: true });
    await right();
    await api.delete(path);
    await right();
  });

  it('the pod template: the volume is put back where it was taken out', async () => {
    await world.storeSecret('template', { template_a: CANARY });
    const original = await world.deployment('template');
    await world.model('template', { config: declaring('template_a') });
    await world.ready('template');
    // as `kubectl replace` does it: whatever is there
    await cluster().api.put(world.path('deployments', 'template'), {
      ...original,
      metadata: { name: 'template' },
    });
    await eventually(async () => expect(await mounted('template')).toBeDefined());
    await world.ready('template');
  });

  it('a Secret of that name that belongs to somebody else is never touched', async () => {
    await cluster().api.post(world.path('secrets'), {
      metadata: { name: 'taken-truss-secrets' },
      data: { own: btoa('own') },
    });
    const before = await cluster().api.get(world.path('secrets', 'taken-truss-secrets'));
    await world.storeSecret('taken', { taken_a: CANARY });
    await world.deployment('taken');
    await world.model('taken', { config: declaring('taken_a') });
    const status = await world.status('taken', ({ conditions }) => {
      expect(conditionOf(conditions, 'Delivered')).toMatchObject({ status: 'False', reason: 'Conflict' });
    });
    expect(status.secretName).toBeUndefined();
    const after = await cluster().api.get(world.path('secrets', 'taken-truss-secrets'));
    expect(after.metadata.resourceVersion).toBe(before.metadata.resourceVersion);
    expect(await mounted('taken')).toBeUndefined();
    await cluster().api.delete(world.path('secrets', 'taken-truss-secrets'));
    await world.ready('taken');
  });
});

describe('undo', () => {
  it('a deleted model leaves nothing in the workload, and its Secret goes with it', async (ctx) => {
    await world.storeSecret('undo', { undo_a: CANARY });
    await world.deployment('undo');
    await world.model('undo', { config: declaring('undo_a') });
    await world.ready('undo');
    await cluster().api.delete(world.path('modeldeployments', 'undo'));
    await eventually(async () => {
      expect(await mounted('undo')).toBeUndefined();
      const { metadata } = await cluster().api.get(world.path('deployments', 'undo'));
      const ours = metadata.managedFields?.filter(({ manager }) => manager === 'truss-secrets');
      expect(ours ?? []).toEqual([]);
      expect(metadata.annotations ?? {}).not.toHaveProperty('truss-secrets.dev/model');
    });
    ctx.skip(!cluster().features.controllers, 'needs the garbage collector');
    // the collector looks for new kinds of owners every 30 s
    await eventually(
      async () =>
        expect(
          await orUndefined(cluster().api.get(world.path('secrets', 'undo-truss-secrets'))),
        ).toBeUndefined(),
      { within: 90_000 },
    );
  }, 120_000);

  it('a workload dropped from the list is left as it was found', async () => {
    await world.storeSecret('dropped', { dropped_a: CANARY });
    await world.deployment('dropped');
    await world.deployment('dropped-too');
    const workloads = ['dropped', 'dropped-too'].map((name) => ({ kind: 'Deployment', name }));
    await world.model('dropped', { config: declaring('dropped_a'), workloads });
    await world.ready('dropped');
    expect(await mounted('dropped-too')).toBeDefined();
    await world.patchModel('dropped', { workloads: workloads.slice(0, 1) });
    await eventually(async () => expect(await mounted('dropped-too')).toBeUndefined());
    expect(await mounted('dropped')).toBeDefined();
  });
});

it('no value is in any output of the operator, in any status or in any event', async () => {
  const { api } = cluster();
  const said = await Promise.all(
    ['modeldeployments', 'events', 'deployments'].map((plural) => api.text(world.path(plural as 'events'))),
  );
  for (const text of [allOutput(), ...said]) {
    expect(text).not.toContain(CANARY);
    expect(text).not.toContain(Buffer.from(CANARY).toString('base64').slice(0, -2));
  }
  expect(allOutput()).toContain('caches are synced');
});
