import { beforeAll, describe, expect, it } from 'vitest';
import type { ModelDeploymentStatus } from '../../../src/api/model-deployment.ts';
import { cluster } from '../cluster.ts';
import { eventually } from '../eventually.ts';
import type { Identity } from '../identity.ts';
import { operatorIdentity, startOperator } from '../operator.ts';
import { declaring, newWorld, type World } from '../world.ts';
import { editorIn } from './actors.ts';

const SHARE = 'truss-secrets.dev/share-with';

/** Where the attacker may write models and read their status and events, and where he may do nothing. */
let world: World;
let org: World;
let attacker: Identity;

beforeAll(async () => {
  [world, org] = await Promise.all([newWorld(), newWorld()]);
  attacker = await editorIn(world.namespace);
  const { kubeconfig } = await operatorIdentity([world.namespace, org.namespace]);
  await startOperator(kubeconfig, [world.namespace, org.namespace]);
});

const others = { annotations: { [SHARE]: 'somebody-else' } };

/** What may be in a namespace that shares nothing with the attacker, under the store's name `STORE`. */
const arrangements: readonly (readonly [string, (store: string) => Promise<unknown>])[] = [
  ['nothing', async () => {}],
  [
    'a Secret without a store label',
    (store) => org.storeSecret(store, { token: 'T' }, { store: 'unrelated' }),
  ],
  ['a Secret that has the key', (store) => org.storeSecret(store, { token: 'T' }, { store })],
  ['a Secret that lacks the key', (store) => org.storeSecret(store, { else: 'T' }, { store })],
  ['a near twin of the key', (store) => org.storeSecret(store, { TOKEN: 'T' }, { store })],
  ['an empty value', (store) => org.storeSecret(store, { token: '' }, { store })],
  [
    'a value that is no text',
    (store) => org.storeSecret(store, { token: new Uint8Array([0, 255]) }, { store }),
  ],
  [
    'a Secret that is shared with others',
    (store) => org.storeSecret(store, { token: 'T' }, { store, ...others }),
  ],
  [
    'a Secret that is pinned to another uid of the namespace',
    (store) =>
      org.storeSecret(
        store,
        { token: 'T' },
        {
          store,
          annotations: { [SHARE]: `${world.namespace}@11111111-2222-3333-4444-555555555555` },
        },
      ),
  ],
  [
    'two Secrets that have the key',
    async (store) => {
      await org.storeSecret(store, { token: 'T' }, { store });
      await org.storeSecret(`${store}-2`, { token: 'U' }, { store });
    },
  ],
  [
    'a Secret of another environment',
    (store) =>
      org.storeSecret(
        store,
        { token: 'T' },
        { store, labels: { 'truss-secrets.dev/environment': 'production' } },
      ),
  ],
  [
    'a docker config',
    (store) =>
      org.storeSecret(
        store,
        { '.dockerconfigjson': '{"auths":{"registry.example":{"auth":"dTpw"}}}' },
        { store, type: 'kubernetes.io/dockerconfigjson' },
      ),
  ],
];

interface Event {
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly count: number;
}

/** All that the attacker sees once everything has been said, without what differs between any two models. */
async function seenBy(model: string, store: string): Promise<unknown> {
  const { status } = await attacker.api.get<{ status: ModelDeploymentStatus }>(
    world.path('modeldeployments', model),
  );
  const { items } = await eventually(async () => {
    const found = await attacker.api.get<{ items: Event[] }>(
      `${world.path('events')}?fieldSelector=involvedObject.name%3D${model}`,
    );
    expect(found.items).toHaveLength(1);
    return found;
  });
  const events = items.map(({ type, reason, message, count }) => ({ type, reason, message, count }));
  const conditions = status.conditions?.map(({ lastTransitionTime: _time, ...condition }) => condition);
  const text = JSON.stringify({ status: { ...status, conditions }, events });
  return JSON.parse(text.replaceAll(store, 'STORE').replaceAll(model, 'MODEL'));
}

describe.each([
  ['Mount', 'Wait', {}],
  ['Env', 'Skip', { environment: 'production' }],
])(
  'whoever may write models and read their status and events (delivery %s, onMissing %s)',
  (delivery, onMissing, more) => {
    it('sees the same words, whatever is in a namespace that shares nothing with him', async () => {
      const prefix = delivery.toLowerCase();
      const cases = arrangements.map(([what, arrange], index) => ({
        what,
        arrange,
        store: `${prefix}-store-${index}-`,
        model: `${prefix}-model-${index}-`,
      }));
      for (const { arrange, store } of cases) await arrange(`${store}x`);
      for (const { store, model } of cases) {
        await attacker.api.post(world.path('modeldeployments'), {
          apiVersion: 'truss-secrets.dev/v1alpha1',
          kind: 'ModelDeployment',
          metadata: { name: `${model}x` },
          spec: {
            trusted: true,
            config: declaring('token', 'DOCKER_REGISTRY_registry.example'),
            stores: [{ name: `${store}x`, namespace: org.namespace }],
            delivery,
            onMissing,
            ...more,
          },
        });
      }
      const seen = [];
      for (const { what, store, model } of cases) {
        await world.status(`${model}x`, ({ observedGeneration }) => expect(observedGeneration).toBe(1));
        seen.push([what, await seenBy(`${model}x`, `${store}x`)] as const);
      }
      const [[, nothing] = []] = seen;
      expect(JSON.stringify(nothing)).toContain('STORE');
      for (const [what, found] of seen) expect(found, what).toEqual(nothing);
    });

    it('cannot read the namespace himself: the test would prove nothing', async () => {
      await expect(attacker.api.get(org.path('secrets'))).rejects.toThrow('403');
      await expect(attacker.api.get(world.path('secrets'))).rejects.toThrow('403');
      expect(cluster().api).not.toBe(attacker.api);
    });
  },
);
