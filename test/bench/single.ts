import { SHARE_WITH_ANNOTATION, STORE_LABEL, deliveredSecretName } from '../../src/api/names.ts';
import { base64, deploymentBody, KEYS, modelBody, MODELS, type FixtureModel } from './fixture.ts';
import { type BarePool, forAll } from './pool.ts';

/** Models that have a store each, so that a change of a source means one write; and pairs of Secrets for the relay. */
export const SINGLES = 20;
export const SINGLE_NAMESPACE = 'bench-single';
export const RELAY = { namespace: 'bench-relay', source: 'bench-source', target: 'bench-target' };

export interface Single {
  readonly model: FixtureModel;
  readonly store: string;
}

export const singles: readonly Single[] = Array.from({ length: SINGLES }, (_, index) => ({
  // odd: without the shared store
  model: { index: 2 * index + 1, namespace: SINGLE_NAMESPACE, name: `single-${index}` },
  store: `single-${index}`,
}));

export const dataOf = (word: string): Readonly<Record<string, string>> =>
  Object.fromEntries(KEYS.map((key) => [key, base64(word)]));

export async function loadSingles(pool: BarePool): Promise<void> {
  for (const name of [SINGLE_NAMESPACE, RELAY.namespace])
    await pool.send('POST', '/api/v1/namespaces', { metadata: { name } });
  await forAll(singles, async ({ model, store }) => {
    const { namespace } = model;
    const secret = (name: string, labels: object): object => ({
      metadata: { name, labels, annotations: { [SHARE_WITH_ANNOTATION]: namespace } },
      data: dataOf('first'),
    });
    const relay = `/api/v1/namespaces/${RELAY.namespace}/secrets`;
    await pool.send('POST', relay, secret(store, { [RELAY.source]: 'true' }));
    await pool.send('POST', relay, secret(deliveredSecretName(model.name), { [RELAY.target]: 'true' }));
    await pool.send(
      'POST',
      `/api/v1/namespaces/${namespace}/secrets`,
      secret(store, { [STORE_LABEL]: store }),
    );
    await pool.send('POST', `/apis/apps/v1/namespaces/${namespace}/deployments`, deploymentBody(model));
    await pool.send(
      'POST',
      `${MODELS}/namespaces/${namespace}/modeldeployments`,
      modelBody(model, [{ name: store }]),
    );
  });
}

/** Gives a source new values. */
export async function changeSource(
  pool: BarePool,
  namespace: string,
  { store }: Single,
  word: string,
): Promise<void> {
  await pool.send(
    'PATCH',
    `/api/v1/namespaces/${namespace}/secrets/${store}`,
    { data: dataOf(word) },
    'application/merge-patch+json',
  );
}
