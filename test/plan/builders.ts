import { expect } from 'vitest';
import { modelDeploymentSpec, type SecretRole } from '../../src/api/model-deployment.ts';
import { modelTrustSpec } from '../../src/api/model-trust.ts';
import { SecretValue } from '../../src/api/secret-value.ts';
import { parseShareWith } from '../../src/plan/consent.ts';
import { canonical } from '../../src/plan/flatten.ts';
import { type ActPlan, plan } from '../../src/plan/plan.ts';
import type {
  ApprovalView,
  DeclaredSecret,
  Declaration,
  DeliveredView,
  LiveWorkload,
  ModelView,
  PriorSecret,
  PriorStatus,
  Rollout,
  Snapshot,
  SourceSecret,
  StoreView,
  Surroundings,
  WorkloadView,
} from '../../src/plan/snapshot.ts';
import { statusOf as statusMade } from '../../src/plan/status.ts';

/** Builders of snapshots: each gives a sensible default, and takes what a test is about. */

export const MODEL = { namespace: 'models', name: 'gfpgan', uid: 'uid-gfpgan' } as const;
export const SECRET_NAME = 'gfpgan-truss-secrets';

export const value = (text: string): SecretValue => new SecretValue(btoa(text));

/** A spec as a user writes it, with everything left out that has a default. */
export function spec(fields: Record<string, unknown> = {}): ModelView['spec'] {
  const parsed = modelDeploymentSpec.safeParse({ trusted: true, config: { inline: '' }, ...fields });
  return parsed.success
    ? { kind: 'valid', spec: parsed.data }
    : {
        kind: 'invalid',
        trusted: fields['trusted'] !== false,
        issues: parsed.error.issues.map(({ message }) => message),
      };
}

export const NO_STATUS: PriorStatus = { secrets: [], workloads: [], conditions: [], ready: undefined };

/** An entry of an earlier status: delivered from Secret models/org, unless something else is said. */
export const priorSecret = (name: string, more: Partial<PriorSecret> = {}): PriorSecret => ({
  name,
  role: 'Required',
  source: { namespace: 'models', name: 'org', key: name, uid: 'uid-models-org' },
  ...more,
});

export const priorStatus = (...secrets: readonly PriorSecret[]): PriorStatus => ({ ...NO_STATUS, secrets });

export const model = (fields: Record<string, unknown> = {}, more: Partial<ModelView> = {}): ModelView => ({
  ...MODEL,
  generation: 1,
  deleting: false,
  spec: spec(fields),
  prior: NO_STATUS,
  ...more,
});

/** `declared('a', 'b=Default')`: names, required unless a role is said. */
export const declared = (...names: readonly string[]): Declaration => ({
  kind: 'read',
  warnings: [],
  envWarnings: [],
  secrets: names.map((entry): DeclaredSecret => {
    const [name = '', role] = entry.split('=');
    switch (role) {
      case 'Default':
      case 'Optional':
      case 'Build':
      case 'Weights':
        return { name, role };
      default:
        return { name, role: 'Required' };
    }
  }),
});

/** A name that config.yaml declares for pulling images, and nothing else unless a role is said. */
export const pullSecret = (
  name: string,
  method: string,
  registry: string,
  role: SecretRole = 'Pull',
): DeclaredSecret => ({ name, role, pull: { method, registry } });

export const declaredSecrets = (...secrets: readonly DeclaredSecret[]): Declaration => ({
  kind: 'read',
  warnings: [],
  envWarnings: [],
  secrets,
});

interface SourceOptions {
  readonly name?: string;
  readonly namespace?: string;
  readonly environment?: string;
  readonly shareWith?: string;
  readonly type?: string;
  readonly delivered?: boolean;
}

export function source(values: Record<string, string>, options: SourceOptions = {}): SourceSecret {
  const {
    name = 'org',
    namespace = 'models',
    environment,
    shareWith,
    type = 'Opaque',
    delivered = false,
  } = options;
  return {
    namespace,
    name,
    uid: `uid-${namespace}-${name}`,
    type,
    store: 'default',
    environment,
    consent: shareWith === undefined ? undefined : parseShareWith(shareWith),
    delivered,
    values: new Map(Object.entries(values).map(([key, text]) => [key, value(text)])),
  };
}

export const store = (...secrets: readonly SourceSecret[]): StoreView => ({
  kind: 'readable',
  ref: { name: 'default' },
  secrets,
});

/** A ModelTrust as it is written, and the model that it was found to be for. */
export function approvedBy(fields: Record<string, unknown>, notedUid?: string): ApprovalView {
  const parsed = modelTrustSpec.safeParse(fields);
  return {
    kind: 'found',
    trust: {
      spec: parsed.success
        ? { kind: 'valid', spec: parsed.data }
        : { kind: 'invalid', issues: parsed.error.issues.map(({ message }) => message) },
      notedUid,
    },
  };
}

export const digestOf = (secret: SecretValue): string => `digest-of-${atob(SecretValue.reveal(secret))}`;

export const SURROUNDINGS: Surroundings = {
  digest: (text) => text,
  digestOf,
  freshRevision: 'fresh',
};

export const ABSENT: DeliveredView = { kind: 'absent', last: undefined };

/** The delivered Secret as it is in the cluster. */
export const delivered = (
  values: Record<string, string>,
  more: Partial<Extract<DeliveredView, { kind: 'ours' }>> = {},
): DeliveredView => ({
  kind: 'ours',
  uid: 'uid-delivered',
  resourceVersion: '7',
  deleting: false,
  replaceable: true,
  labelled: true,
  soleOwner: true,
  revision: 'r1',
  digests: new Map(Object.entries(values).map(([key, text]) => [key, digestOf(value(text))])),
  ...more,
});

export const workload = (
  live: Partial<LiveWorkload> = {},
  ref: Record<string, unknown> = {},
): WorkloadView => ({
  kind: 'present',
  ref: { kind: 'Deployment', name: 'gfpgan', ...ref },
  live: liveWorkload(live),
  holder: undefined,
});

export const liveWorkload = (live: Partial<LiveWorkload> = {}): LiveWorkload => ({
  apiVersion: 'apps/v1',
  workloadKind: 'Deployment',
  namespace: 'models',
  name: 'gfpgan',
  uid: 'uid-deployment',
  resourceVersion: '5',
  deleting: false,
  marker: undefined,
  revision: undefined,
  defaultContainer: undefined,
  containers: [{ name: 'model', init: false, mounts: [], env: [] }],
  volume: undefined,
  duplicate: undefined,
  owned: '',
  editor: 'kubectl',
  rollout: ROLLED_OUT,
  oldPods: undefined,
  blockedSince: undefined,
  ...live,
});

/** All pods run the present template. */
export const ROLLED_OUT: Rollout = {
  observed: true,
  running: true,
  serving: true,
  outdated: false,
  held: undefined,
  blocked: false,
};

export const snapshot = (parts: Partial<Snapshot> = {}): Snapshot => ({
  model: model(),
  declaration: declared('a'),
  approval: { kind: 'not-required' },
  stores: [store(source({ a: 'A' }))],
  namespaceUid: undefined,
  delivered: ABSENT,
  pull: ABSENT,
  workloads: [],
  ...parts,
});

/** Plans a snapshot that is to be acted on. */
export function planOf(parts: Partial<Snapshot>): ActPlan {
  const planned = plan(snapshot(parts), SURROUNDINGS);
  if (planned.kind !== 'act') throw new Error('the plan leaves the model alone');
  return planned;
}

/**
 * The status of a plan. In whatever test it is made, its fields are in order, as what the controller compares depends on it;
 * and nothing is listed twice, which the API server does not check.
 */
export const statusOf: typeof statusMade = (...args) => {
  const status = statusMade(...args);
  expect(JSON.stringify(status)).toBe(canonical(status));
  const { conditions = [], secrets = [], workloads = [] } = status;
  const listed = [
    ...conditions.map(({ type }) => `condition ${type}`),
    ...secrets.map(({ name }) => `secret ${name}`),
    ...workloads.map(({ kind, name }) => `${kind} ${name}`),
  ];
  expect(listed).toEqual([...new Set(listed)]);
  return status;
};

/** `{a: 'Delivered', b: 'Missing'}` */
export const states = (planned: ActPlan): Record<string, string> =>
  Object.fromEntries(planned.resolutions.map(({ name, state }) => [name, state]));

/** The values that the plan writes into the delivered Secret. */
export function written({ secret: { action } }: ActPlan): Record<string, string> | undefined {
  switch (action.kind) {
    case 'create':
    case 'replace':
    case 'recreate':
      return Object.fromEntries(
        [...action.data].map(([key, secret]) => [key, atob(SecretValue.reveal(secret))]),
      );
    case 'none':
    case 'patch':
    case 'delete':
      return undefined;
  }
}
