import { beforeAll, describe, expect, it } from 'vitest';
import { ApiError } from '../api.ts';
import { cluster } from '../cluster.ts';
import { type Operator, operatorIdentity, startOperator } from '../operator.ts';
import { conditionOf, declaring, newWorld, type World } from '../world.ts';

/** What another tenant may have to wait for while somebody does his worst, on a busy machine. */
const OTHERS_WAIT_MS = 15_000;

/** The attacker's, and that of somebody who wants to get on with his work. */
let world: World;
let other: World;
let operator: Operator;

beforeAll(async () => {
  [world, other] = await Promise.all([newWorld(), newWorld()]);
  const { kubeconfig } = await operatorIdentity([world.namespace, other.namespace]);
  operator = await startOperator(kubeconfig, [world.namespace, other.namespace]);
  await Promise.all([world, other].map((one) => one.storeSecret('org', { token: 'T' })));
});

let others = 0;

/** Somebody else's model is served in the usual time. */
async function othersAreServed(): Promise<void> {
  const name = `other-${++others}`;
  const start = performance.now();
  await other.deployment(name);
  await other.model(name, { config: declaring('token') });
  await other.ready(name);
  expect(performance.now() - start).toBeLessThan(OTHERS_WAIT_MS);
  expect(operator.output()).not.toContain('FATAL');
  process.kill(operator.pid, 0);
}

const countOf = async (path: string): Promise<number> => {
  const { items } = await cluster().api.get<{ items: unknown[] }>(path);
  return items.length;
};

describe('nobody else waits, and the operator stays up', () => {
  it('while a delivered Secret is deleted as often as it is put back', async () => {
    await world.model('loop', { config: declaring('token'), workloads: [] });
    await world.ready('loop');
    const path = world.path('secrets', 'loop-truss-secrets');
    const attack = new AbortController();
    let deleted = 0;
    const loop = (async () => {
      while (!attack.signal.aborted) {
        try {
          await cluster().api.delete(path);
          deleted++;
        } catch (error) {
          if (!(error instanceof ApiError && error.code === 404)) throw error;
        }
      }
    })();
    await othersAreServed();
    await othersAreServed();
    attack.abort();
    await loop;
    // put back a few times, and then ever more rarely: not as often as somebody cares to delete it
    expect(deleted).toBeGreaterThan(0);
    expect(deleted).toBeLessThan(20);
  });

  it('while somebody edits a model as fast as he can', async () => {
    await world.model('restless', { config: declaring('token'), workloads: [] });
    const attack = new AbortController();
    const loop = (async () => {
      for (let n = 0; !attack.signal.aborted; n++)
        await world.patchModel('restless', { trusted: n % 2 === 0, config: declaring(`name-${n}`) });
    })();
    await othersAreServed();
    attack.abort();
    await loop;
  });

  it('while a config.yaml is as large, as deep or as clever as a ConfigMap takes', async () => {
    const texts: Readonly<Record<string, string>> = {
      large: `secrets:\n${Array.from({ length: 30_000 }, (_, n) => `  name-${n}: null\n`).join('')}`,
      deep: `a: ${'['.repeat(100_000)}${']'.repeat(100_000)}\nsecrets: {token: null}\n`,
      bomb: `a: &a [${'x, '.repeat(9)}x]\n${Array.from({ length: 9 }, (_, n) => `${'bcdefghij'[n]}: &${'bcdefghij'[n]} [${Array(10).fill(`*${'abcdefghi'[n]}`).join(', ')}]\n`).join('')}secrets: *j\n`,
      merges: Array.from({ length: 3_000 }, (_, n) => `m${n}: &m${n} {<<: *m${n - 1}, k${n}: 1}\n`)
        .join('')
        .replace('<<: *m-1, ', ''),
      junk: `secrets: {${'%'.repeat(400_000)}`,
      tag: 'secrets: !!js/function "function () { return process.exit(1) }"\n',
      python: 'secrets: !!python/object/apply:os.system ["id"]\n',
      proto:
        'secrets: {__proto__: null, constructor: null, "../token": null, "a\\0b": null, "": null}\n__proto__: {polluted: 1}\n',
    };
    await Promise.all(
      Object.entries(texts).map(async ([name, text]) => {
        await world.configMap(name, text);
        await world.model(name, { config: { configMapRef: { name } }, workloads: [] });
      }),
    );
    await othersAreServed();
    for (const name of Object.keys(texts)) {
      await world.status(name, ({ conditions }) =>
        expect(conditionOf(conditions, 'ConfigValid')).toBeDefined(),
      );
      const data = (await world.delivered(name)) ?? {};
      expect(Object.keys(data).filter((key) => key !== 'token')).toEqual([]);
    }
    const { secrets } = await world.status('proto', () => {});
    expect(secrets?.map(({ state }) => state).sort()).toEqual([
      'InvalidName',
      'InvalidName',
      'InvalidName',
      'Missing',
      'Missing',
    ]);
  });

  it('while a model asks for as many and as long names as it may, in as many stores', async () => {
    const names = Array.from({ length: 1_024 }, (_, n) => `${n}-`.padEnd(253, 'n'));
    const stores = Array.from({ length: 16 }, (_, n) => ({
      name: `${n}-`.padEnd(63, 's'),
      namespace: other.namespace,
    }));
    await world.configMap('greedy', `secrets: {${names.join(': null, ')}: null}`);
    await world.model('greedy', { config: { configMapRef: { name: 'greedy' } }, stores, workloads: [] });
    await othersAreServed();
    await world.status('greedy', ({ secrets }) => expect(secrets).toHaveLength(names.length));
  });

  it('while Secrets of a store come and go that are full of keys', async () => {
    const values = Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [`key-${n}`, '']));
    for (let n = 0; n < 5; n++) await world.storeSecret(`full-${n}`, values, { store: 'full' });
    const names = Array.from({ length: 1_024 }, (_, n) => `name-${n}`);
    await world.model('full', { config: declaring(...names), stores: [{ name: 'full' }], workloads: [] });
    await othersAreServed();
    await world.status('full', ({ secrets }) => expect(secrets).toHaveLength(1_024));
  });

  it('while an annotation is as long as one may be, and changes all the time', async () => {
    const share = (n: number): string =>
      Array.from({ length: 20_000 }, (_, at) => `bad/${n}/${at}`).join(',');
    await world.storeSecret(
      'chatty',
      { token: 'T' },
      {
        store: 'chatty',
        annotations: { 'truss-secrets.dev/share-with': share(0) },
      },
    );
    for (let n = 1; n < 60; n++) {
      await cluster().api.patch(world.path('secrets', 'chatty'), {
        metadata: { annotations: { 'truss-secrets.dev/share-with': share(n) } },
      });
    }
    await othersAreServed();
    const about = `${world.path('events')}?fieldSelector=involvedObject.name%3Dchatty`;
    expect(await countOf(about)).toBeGreaterThan(0);
    expect(await countOf(about)).toBeLessThanOrEqual(25);
  });
});

describe('a second Secret that brings a key which a running model has already', () => {
  it('changes nothing for that model, and is ambiguous for one that has none yet', async () => {
    await world.storeSecret('first', { token: 'first' }, { store: 'twice' });
    const spec = { config: declaring('token'), stores: [{ name: 'twice' }], workloads: [] };
    await world.model('running', spec);
    await world.ready('running');
    await world.storeSecret('another', { token: 'another' }, { store: 'twice' });
    await world.model('late', spec);
    const { secrets } = await world.status('late', (status) =>
      expect(status.secrets).toMatchObject([{ state: 'Ambiguous' }]),
    );
    expect(secrets?.[0]?.message).toContain('another');
    expect(await world.delivered('late')).toEqual({});
    const running = await world.status('running', (status) =>
      expect(status.secrets).toMatchObject([{ state: 'Delivered' }]),
    );
    expect(running.secrets?.[0]?.source?.name).toBe('first');
    expect(await world.delivered('running')).toEqual({ token: Buffer.from('first') });
    // the one that it came from goes: the other is the only one left
    await cluster().api.delete(world.path('secrets', 'first'));
    for (const name of ['running', 'late']) await world.ready(name);
    expect(await world.delivered('running')).toEqual({ token: Buffer.from('another') });
  });
});
