import { deliveredSecretName } from '../../src/api/names.ts';
import { type FixtureModel, MODELS, models, OWN_STORE, SHARED } from './fixture.ts';
import type { BarePool } from './pool.ts';

/** What the operator left for one model, as JSON with places for what differs between models. */
export interface ModelTemplate {
  /** Metadata of the delivered Secret. */
  readonly secret: string;
  /** Annotations, and the spec of its pods. */
  readonly deployment: string;
  readonly status: string;
  readonly event: string;
}

/** One for models with the shared store, one for those without. */
export interface Templates {
  readonly shared: ModelTemplate;
  readonly own: ModelTemplate;
}

/** Reads them from a cluster on which the operator was at work. */
export async function captureTemplates(pool: BarePool): Promise<Templates> {
  const [shared, own] = models(2);
  if (shared === undefined || own === undefined) throw new Error('there are no models');
  return { shared: await capture(pool, shared), own: await capture(pool, own) };
}

interface Captured {
  readonly metadata: Readonly<Record<string, unknown>> & { readonly uid: string };
  readonly spec?: { readonly template?: { readonly spec: unknown } };
  readonly status?: unknown;
}

async function capture(pool: BarePool, { namespace, name }: FixtureModel): Promise<ModelTemplate> {
  const core = `/api/v1/namespaces/${namespace}`;
  const model = await pool.get<Captured>(`${MODELS}/namespaces/${namespace}/modeldeployments/${name}`);
  const secret = await pool.get<Captured>(`${core}/secrets/${deliveredSecretName(name)}`);
  const deployment = await pool.get<Captured>(`/apis/apps/v1/namespaces/${namespace}/deployments/${name}`);
  const own = await pool.get<Captured>(`${core}/secrets/${OWN_STORE}`);
  const shared = await pool.get<Captured>(`/api/v1/namespaces/${SHARED.namespace}/secrets/${SHARED.secret}`);
  const events = await pool.get<{ items: readonly Captured[] }>(
    `${core}/events?fieldSelector=${encodeURIComponent(`involvedObject.uid=${model.metadata.uid}`)}`,
  );
  const [event] = events.items;
  if (event === undefined) throw new Error(`${namespace}/${name} has no event`);
  const { labels, annotations, ownerReferences } = secret.metadata;
  const { managedFields: _, uid: _uid, resourceVersion: _version, ...eventMetadata } = event.metadata;
  const open = (value: unknown): string =>
    JSON.stringify(value)
      .replaceAll(model.metadata.uid, '{uid}')
      .replaceAll(own.metadata.uid, '{own-uid}')
      .replaceAll(shared.metadata.uid, '{shared-uid}')
      .replaceAll(name, '{name}')
      .replaceAll(`"${namespace}"`, '"{namespace}"')
      .replaceAll(`${namespace}/`, '{namespace}/');
  return {
    secret: open({ labels, annotations, ownerReferences }),
    deployment: open({
      annotations: deployment.metadata['annotations'],
      pod: deployment.spec?.template?.spec,
    }),
    status: open(model.status),
    event: open({ ...event, metadata: eventMetadata }),
  };
}
