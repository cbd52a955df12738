import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cluster, skipUnless } from '../cluster/cluster.ts';
import { workloadPath } from '../cluster/delivery/workloads.ts';
import { eventually } from '../cluster/eventually.ts';
import { operatorIdentity, startOperator } from '../cluster/operator.ts';
import { declaring, newWorld, type World } from '../cluster/world.ts';
import { envIn, filesIn, isReady, onePod, podsOf, POD_MS, resolvedIn, runWorkload } from './pods.ts';

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

/** How often the pods were rolled: each template is a ReplicaSet. */
async function templates(name: string): Promise<number> {
  const { metadata } = await cluster().api.get(workloadPath(world, 'Deployment', name));
  return Number(metadata.annotations?.['deployment.kubernetes.io/revision']);
}

describe('environment variables', () => {
  it('are what Truss resolves, under prefixed names, and under plain ones that an override asks for', async () => {
    const values = { plain: 'value', lf: 'a\nb\n', 'with-hyphen': 'x', utf8: '\u{1f511} schlüssel' };
    await world.storeSecret('env', { ...values, undeclared: 'no' }, { store: 'env' });
    await runWorkload(world, 'Deployment', 'env');
    await world.model('env', {
      config: declaring(...Object.keys(values)),
      stores: [{ name: 'env' }],
      delivery: 'Env',
      overrides: [{ name: 'plain', env: ['HF_TOKEN'] }],
    });
    await world.ready('env');
    const pod = await onePod(world, 'env', async (found) =>
      expect(await envIn(world, found)).toMatchObject({ HF_TOKEN: 'value' }),
    );
    const env = await envIn(world, pod);
    expect(
      Object.keys(env)
        .filter((name) => name.startsWith('TRUSS_SECRET_'))
        .sort(),
    ).toEqual(
      Object.keys(values)
        .map((name) => `TRUSS_SECRET_${name}`)
        .sort(),
    );
    // no unprefixed name but that one
    for (const name of [...Object.keys(values), 'undeclared']) expect(env).not.toHaveProperty([name]);
    expect(await filesIn(world, pod)).toBe(undefined);
    const none = Object.fromEntries(Object.keys(values).map((name) => [name, null]));
    expect(await resolvedIn(world, pod, none)).toEqual(
      Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value }])),
    );

    await world.patchModel('env', { trusted: false });
    await onePod(world, 'env', async (found) => {
      const left = Object.keys(await envIn(world, found));
      expect(left.filter((name) => name === 'HF_TOKEN' || name.startsWith('TRUSS_SECRET_'))).toEqual([]);
    });
  });

  it('roll the pods once for a change, one pod serving all the while, and end with the last value', async () => {
    await world.storeSecret('roll', { a: '0' }, { store: 'roll' });
    await runWorkload(world, 'Deployment', 'roll');
    await world.model('roll', { config: declaring('a'), stores: [{ name: 'roll' }], delivery: 'Env' });
    await world.ready('roll');
    const has = (value: string) =>
      onePod(world, 'roll', async (pod) =>
        expect(await resolvedIn(world, pod, { a: null })).toEqual({ a: { value } }),
      );
    await has('0');
    const before = await templates('roll');

    let served = true;
    const rolled = new AbortController();
    const watch = (async () => {
      while (!rolled.signal.aborted) {
        if (!(await podsOf(world, 'roll')).some(isReady)) served = false;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    })();
    await store('roll', { a: '1' });
    const pod = await has('1');
    rolled.abort();
    await watch;
    expect(served).toBe(true);
    expect(await templates('roll')).toBe(before + 1);

    // of two changes at once none is lost
    await store('roll', { a: '2' });
    await store('roll', { a: '3' });
    const last = await has('3');
    expect(last.metadata.uid).not.toBe(pod.metadata.uid);
    expect(await templates('roll')).toBeLessThanOrEqual(before + 3);
  });

  it('of a required name that is missing keep the new pod waiting and the old one serving', async () => {
    await world.storeSecret('hold', { a: 'A' }, { store: 'hold' });
    await runWorkload(world, 'Deployment', 'hold');
    await world.model('hold', { config: declaring('a'), stores: [{ name: 'hold' }], delivery: 'Env' });
    await world.ready('hold');
    const old = await onePod(world, 'hold', async (pod) =>
      expect(await resolvedIn(world, pod, { a: null })).toEqual({ a: { value: 'A' } }),
    );
    await world.patchModel('hold', { config: declaring('a', 'b') });
    await eventually(async () => expect(await podsOf(world, 'hold')).toHaveLength(2), { within: POD_MS });
    const pods = await podsOf(world, 'hold');
    expect(pods.filter(isReady).map(({ metadata }) => metadata.uid)).toEqual([old.metadata.uid]);
    await store('hold', { b: 'B' });
    await onePod(world, 'hold', async (pod) =>
      expect(await resolvedIn(world, pod, { a: null, b: null })).toEqual({
        a: { value: 'A' },
        b: { value: 'B' },
      }),
    );
  });
});
