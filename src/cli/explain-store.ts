import { SHARE_WITH_ANNOTATION } from '../api/names.ts';
import { consents, type Grant } from '../plan/consent.ts';
import type { Resolution } from '../plan/resolve.ts';
import type { SourceSecret, StoreView } from '../plan/snapshot.ts';
import { type Facts, specOf } from './explain-facts.ts';
import { type Link, no, unknown, yes } from './explain-link.ts';

/** Those that are searched for the name. */
export function storesOf({ name }: Resolution, facts: Facts): readonly StoreView[] {
  const from = specOf(facts)?.overrides?.find((one) => one.name === name)?.from;
  const { stores } = facts.live.snapshot;
  return from ? stores.filter(({ ref }) => ref.name === from.store) : stores;
}

const namespaceOf = ({ ref }: StoreView, { live }: Facts): string => ref.namespace ?? live.model.namespace;

/** Whether a store can be read, with the rights of the user. */
export function storeLink(store: StoreView, facts: Facts): Link {
  const step = 'store';
  const namespace = namespaceOf(store, facts);
  const shown = `store ${store.ref.name} in namespace ${namespace}`;
  const check = `${facts.program} list -n ${namespace} --store ${store.ref.name}`;
  if (store.kind === 'unreadable') {
    return unknown(
      step,
      `you lack the right to: list secrets -n ${namespace}; whether ${shown} has it is not known to you`,
      {
        check: `kubectl auth can-i list secrets -n ${namespace}`,
      },
    );
  }
  const sharing = store.secrets.filter((secret) => isShared(secret, facts)).length;
  return yes(
    step,
    `${shown}: ${store.secrets.length === 1 ? '1 Secret' : `${store.secrets.length} Secrets`}, ${sharing} for this model`,
    { check },
  );
}

const isShared = (secret: SourceSecret, { live }: Facts): boolean => {
  const { namespace, name } = live.model;
  return consents(secret, { namespace, namespaceUid: live.snapshot.namespaceUid, model: name });
};

/** Whether a Secret has the value. */
export function keyFound(one: Resolution, facts: Facts): Link {
  const step = 'key';
  const { source, state, message, held } = one;
  if (held) return unknown(step, `by the operator's status it is ${state}`);
  if (source) {
    const { namespace, name, key } = source;
    const check = `${facts.program} get ${key} --secret ${name} -n ${namespace}`;
    return yes(step, `Secret ${namespace}/${name} has the key ${key}`, { check });
  }
  if (state === 'Empty' || state === 'Undeliverable') return yes(step, 'a Secret has the key');
  return notShared(one, facts) ?? no(step, message ?? '', { fix: setCommand(one, facts) });
}

const keyOf = ({ name }: Resolution, facts: Facts): string =>
  specOf(facts)?.overrides?.find((override) => override.name === name)?.from?.key ?? name;

function setCommand(one: Resolution, facts: Facts): string {
  const [store] = storesOf(one, facts);
  const environment = specOf(facts)?.environment;
  const options = [
    `-n ${store ? namespaceOf(store, facts) : facts.live.model.namespace}`,
    ...(store && store.ref.name !== 'default' ? [`--store ${store.ref.name}`] : []),
    ...(environment === undefined ? [] : [`--environment ${environment}`]),
  ];
  return `${facts.program} set ${keyOf(one, facts)} ${options.join(' ')}`;
}

/** A Secret that the user may list has the key, and it is not for this model: by the user's own rights no secret. */
function notShared(one: Resolution, facts: Facts): Link | undefined {
  const key = keyOf(one, facts);
  const { namespace, name } = facts.live.model;
  const having = storesOf(one, facts).flatMap((store) =>
    store.kind === 'readable'
      ? store.secrets.filter(({ values, delivered }) => values.has(key) && !delivered)
      : [],
  );
  const closed = having.find((secret) => !isShared(secret, facts));
  if (closed) {
    const grants = [...(closed.consent?.grants ?? []).map(grantText), `${namespace}/${name}`];
    return no(
      'key',
      `Secret ${closed.namespace}/${closed.name} has the key ${key}, and does not share it with ${namespace}/${name}`,
      {
        check: `kubectl -n ${closed.namespace} get secret ${closed.name} -o jsonpath='{.metadata.annotations}'`,
        fix: `kubectl -n ${closed.namespace} annotate --overwrite secret ${closed.name} ${SHARE_WITH_ANNOTATION}='${grants.join(', ')}'`,
      },
    );
  }
  const environment = specOf(facts)?.environment;
  const other = having.find(
    (secret) => secret.environment !== undefined && secret.environment !== environment,
  );
  if (!other) return undefined;
  const asked = environment === undefined ? 'none' : environment;
  return no(
    'key',
    `Secret ${other.namespace}/${other.name} has the key ${key} for environment ${other.environment}; the model's is ${asked}`,
    {
      fix: setCommand(one, facts),
    },
  );
}

const grantText = ({ namespace, namespaceUid, model }: Grant): string =>
  `${namespace}${namespaceUid === undefined ? '' : `@${namespaceUid}`}${model === '*' ? '' : `/${model}`}`;

/** Whether the value can be delivered as it is. */
export function usable(one: Resolution, facts: Facts): Link {
  const step = 'value';
  if (one.held) return unknown(step, `by the operator's status it is ${one.state}`);
  return one.state === 'Delivered'
    ? yes(step, 'it is not empty, and can be delivered as asked')
    : no(step, one.message ?? '', { fix: setCommand(one, facts) });
}
