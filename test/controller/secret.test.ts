import { describe, expect, it } from 'vitest';
import { API_VERSION, MANAGED_BY_LABEL, MANAGER, REVISION_ANNOTATION } from '../../src/api/names.ts';
import { SecretValue } from '../../src/api/secret-value.ts';
import { digestOf } from '../../src/controller/digest.ts';
import { type CachedDelivered, projectDelivered } from '../../src/controller/secret.ts';

const owner = {
  apiVersion: API_VERSION,
  kind: 'ModelDeployment',
  name: 'gfpgan',
  uid: 'm',
  controller: true,
};

interface Content {
  readonly version?: string;
  readonly revision?: string;
  readonly data?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
}

/** A delivered Secret, as the API server sends it. */
const delivered = ({
  version = '7',
  revision = 'a'.repeat(16),
  data = { k: 'b25l' },
  labels = {},
}: Content = {}) => ({
  metadata: {
    namespace: 'models',
    name: 'gfpgan-truss-secrets',
    uid: 'u',
    resourceVersion: version,
    labels: { ...labels, [MANAGED_BY_LABEL]: MANAGER },
    annotations: { [REVISION_ANNOTATION]: revision },
    ownerReferences: [owner],
    managedFields: [{ manager: MANAGER, operation: 'Update' }],
  },
  type: 'Opaque',
  data,
});

const digests = (data: Readonly<Record<string, string>>): ReadonlyMap<string, string> =>
  new Map(Object.entries(data).map(([key, value]) => [key, digestOf(new SecretValue(value))]));

const shown = ({ namespace, name, owner: of, foreign, view }: CachedDelivered) => ({
  namespace,
  name,
  owner: of,
  foreign,
  view: { ...view, digests: Object.fromEntries(view.digests) },
});

describe('a delivered Secret that we have replaced', () => {
  it.each([
    ['the same keys', delivered(), { k: 'dHdv' }],
    ['more keys, in whatever order', delivered(), { z: 'eg==', k: 'b25l', a: 'YQ==' }],
    ['no key', delivered(), {}],
    ['what others had added', delivered({ labels: { 'example.test/team': 'x' } }), { k: 'dHdv' }],
    [
      'what was made immutable, or edited, before',
      {
        ...delivered(),
        immutable: true,
        metadata: { ...delivered().metadata, managedFields: [{ manager: 'kubectl' }] },
      },
      { k: 'dHdv' },
    ],
    [
      'a second owner before',
      {
        ...delivered(),
        metadata: {
          ...delivered().metadata,
          ownerReferences: [owner, { apiVersion: 'v1', kind: 'ConfigMap', name: 'second', uid: 's' }],
        },
      },
      { k: 'dHdv' },
    ],
    [
      'an owner reference that somebody had put another name into',
      {
        ...delivered(),
        metadata: { ...delivered().metadata, ownerReferences: [{ ...owner, name: 'other' }] },
      },
      { k: 'dHdv' },
    ],
  ])('is kept as its answer would be, with %s', (_, before, data) => {
    const now = { version: '9', revision: 'b'.repeat(16), data };
    const { labels } = before.metadata;
    const content = { revision: now.revision, digests: digests(data) };

    const kept = projectDelivered(before).replaced('9', { name: 'gfpgan', uid: 'm' }, content);

    expect(shown(kept)).toEqual(shown(projectDelivered(delivered({ ...now, labels }))));
  });
});
