import { beforeAll, describe, expect, it } from 'vitest';
import { cluster } from '../cluster.ts';
import { eventually } from '../eventually.ts';
import { operatorIdentity, startOperator } from '../operator.ts';
import { conditionOf, declaring, newWorld, type World } from '../world.ts';
import { injectedInto, makeWorkload, templateOf, workloadPath } from './workloads.ts';

let world: World;

beforeAll(async () => {
  world = await newWorld();
  const { kubeconfig } = await operatorIdentity([world.namespace]);
  await startOperator(kubeconfig, [world.namespace]);
});

const KIB = 1024;
const names = (count: number, length = 12): readonly string[] =>
  Array.from({ length: count }, (_, index) => String(index).padStart(length, 'n'));
const valuesOf = (list: readonly string[]): Record<string, string> =>
  Object.fromEntries(list.map((name, index) => [name, `value ${index}`]));
const image = 'registry.invalid/x:1';
const containers = (count: number) => ({
  pod: { containers: Array.from({ length: count }, (_, index) => ({ name: `c${index}`, image })) },
});
const all = (name: string) => ({ workloads: [{ kind: 'Deployment', name, containers: ['*'] }] });

async function started(
  name: string,
  list: readonly string[],
  spec: object = {},
  options = {},
): Promise<void> {
  await world.storeSecret(name, valuesOf(list), { store: name });
  await makeWorkload(world, 'Deployment', name, options);
  await world.model(name, { config: declaring(...list), stores: [{ name }], ...spec });
}

describe('how many names a model may declare', () => {
  it.each([
    [1, 'Mount'],
    [200, 'Mount'],
    [1024, 'Mount'],
    [1, 'Env'],
    [200, 'Env'],
    [1024, 'Env'],
  ])('%i with %s', async (count, delivery) => {
    const name = `n${count}-${delivery.toLowerCase()}`;
    await started(name, names(count), { delivery });
    expect(await world.ready(name)).toMatchObject({
      declared: count,
      delivered: count,
      summary: `${count}/${count}`,
    });
    const injected = injectedInto(await templateOf(world, 'Deployment', name));
    expect(delivery === 'Mount' ? injected.required : injected.env['model']).toHaveLength(count);
    expect(Object.keys((await world.delivered(name)) ?? {})).toEqual([...names(count)].sort());
  });

  it('1,025 are refused, and what was delivered before stays', async () => {
    const list = names(1025);
    await started('too-many', list.slice(0, 3));
    await world.ready('too-many');
    const { metadata } = await cluster().api.get(world.path('secrets', 'too-many-truss-secrets'));
    await world.patchModel('too-many', { config: declaring(...list) });
    const { conditions } = await world.status('too-many', (status) =>
      expect(conditionOf(status.conditions, 'ConfigValid')).toMatchObject({
        status: 'False',
        reason: 'TooMany',
      }),
    );
    expect(conditionOf(conditions, 'Ready')?.message).toContain(
      'declares 1025 secrets, at most 1024 are possible',
    );
    expect((await cluster().api.get(world.path('secrets', 'too-many-truss-secrets'))).metadata).toEqual(
      metadata,
    );
    expect(injectedInto(await templateOf(world, 'Deployment', 'too-many')).required).toHaveLength(3);
    // trust and values still count for them
    await world.patchModel('too-many', { trusted: false });
    await eventually(async () => expect(await world.delivered('too-many')).toBe(undefined));
  });

  it('names times containers beyond 256 KiB are refused before anything is written', async () => {
    const list = names(300, 100);
    await started('times', list, { delivery: 'Env', ...all('times') }, containers(10));
    await world.status('times', ({ conditions }) =>
      expect(conditionOf(conditions, 'ConfigValid')).toMatchObject({ status: 'False', reason: 'TooMany' }),
    );
    expect(await world.delivered('times')).toBe(undefined);
  });

  it('what the API server itself finds too large is a conflict that says so, and is not tried hot', async () => {
    // 246 KiB of names times containers, which with all that is around each name is more than etcd takes
    await started('etcd', names(900, 14), { delivery: 'Env', ...all('etcd') }, containers(20));
    const { conditions } = await world.status('etcd', ({ workloads }) =>
      expect(workloads?.[0]?.state).toBe('Conflict'),
    );
    expect(conditionOf(conditions, 'Injected')?.message).toContain('too large');
  });

  it('a model name of 239 characters, and not of 240', async () => {
    for (const [length, status] of [
      [239, 'True'],
      [240, 'False'],
    ] as const) {
      const name = 'm'.repeat(length);
      await world.storeSecret(`long-${length}`, { a: 'A' }, { store: `long-${length}` });
      await makeWorkload(world, 'Deployment', `long-${length}`);
      const workloads = [{ kind: 'Deployment', name: `long-${length}` }];
      await world.model(name, { config: declaring('a'), stores: [{ name: `long-${length}` }], workloads });
      const found = await world.status(name, ({ conditions }) =>
        expect(conditionOf(conditions, 'Ready')?.status).toBe(status),
      );
      if (status === 'False') {
        expect(conditionOf(found.conditions, 'Ready')).toMatchObject({ reason: 'TooMany' });
        expect(conditionOf(found.conditions, 'Ready')?.message).toContain('has 240 characters');
      }
    }
  });
});

describe('how large values may be', () => {
  const kb = (count: number): string => 'x'.repeat(count * 1000);
  const patch = (name: string, values: object) =>
    cluster().api.patch(world.path('secrets', name), { stringData: values });

  it('900 KB, byte for byte', async () => {
    await world.storeSecret('large', { a: kb(900) }, { store: 'large' });
    await makeWorkload(world, 'Deployment', 'large');
    await world.model('large', { config: declaring('a'), stores: [{ name: 'large' }] });
    await world.ready('large');
    expect((await world.delivered('large'))?.['a']?.toString() === kb(900)).toBe(true);
  });

  it('more than 1 MiB together: nothing is added until it fits, but removals go through', async () => {
    for (const name of ['a', 'b', 'c'])
      await world.storeSecret(`sum-${name}`, { [name]: kb(400) }, { store: 'sum' });
    await makeWorkload(world, 'Deployment', 'sum');
    await world.model('sum', { config: declaring('a', 'b'), stores: [{ name: 'sum' }] });
    await world.ready('sum');
    await world.patchModel('sum', { config: declaring('a', 'b', 'c') });
    const { conditions } = await world.status('sum', (status) =>
      expect(conditionOf(status.conditions, 'Delivered')).toMatchObject({
        status: 'False',
        reason: 'TooLarge',
      }),
    );
    expect(conditionOf(conditions, 'Ready')?.message).toContain('a Secret holds at most 1048576');
    const keys = async (): Promise<readonly string[]> => Object.keys((await world.delivered('sum')) ?? {});
    expect(await keys()).toEqual(['a', 'b']);

    // still too large without b, so that c does not come in; b goes all the same
    await patch('sum-c', { c: kb(999) });
    await cluster().api.delete(world.path('secrets', 'sum-b'));
    await eventually(async () => expect(await keys()).toEqual(['a']));
    await patch('sum-c', { c: kb(10) });
    await eventually(async () => expect(await keys()).toEqual(['a', 'c']));
  });

  it('for an environment variable 128 KiB with its name', async () => {
    await world.storeSecret(
      'envsize',
      { ok: 'x'.repeat(120 * KIB), big: 'x'.repeat(130 * KIB) },
      { store: 'envsize' },
    );
    await makeWorkload(world, 'Deployment', 'envsize');
    const stores = [{ name: 'envsize' }];
    await world.model('envsize', { config: declaring('ok', 'big'), stores, delivery: 'Env' });
    await world.status('envsize', ({ secrets }) =>
      expect(secrets?.map(({ name, state }) => `${name} ${state}`)).toEqual([
        'big Undeliverable',
        'ok Delivered',
      ]),
    );
    await world.patchModel('envsize', { delivery: 'Mount' });
    await world.ready('envsize');
  });
});

describe('the status', () => {
  it('of the largest model fits into an object, and the template is written once', async () => {
    const list = names(1024, 200);
    await makeWorkload(world, 'Deployment', 'largest');
    await world.model('largest', { config: declaring(...list) });
    const { secrets } = await world.status('largest', ({ declared }) => expect(declared).toBe(1024));
    expect(secrets).toHaveLength(1024);
    const { metadata } = await cluster().api.get(workloadPath(world, 'Deployment', 'largest'));
    expect(metadata.generation).toBe(2);
  });
});
