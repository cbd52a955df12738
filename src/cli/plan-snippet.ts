import { stringify } from 'yaml';
import { messages } from '../api/messages.ts';
import type { WorkloadRef } from '../api/model-deployment.ts';
import type { Caches } from '../controller/caches.ts';
import { apiVersion } from '../kube/resource.ts';
import { approvalOf, withApprovedEnv } from '../plan/approval.ts';
import { isObject, type JsonObject } from '../plan/flatten.ts';
import { type Injection, injectionOf } from '../plan/injection.ts';
import type { ActPlan } from '../plan/plan.ts';
import type { LiveWorkload } from '../plan/snapshot.ts';
import { wishFor } from '../plan/workload.ts';
import { CommandError } from './errors.ts';
import type { LiveSnapshot } from './live-snapshot.ts';

/** Stands for a container of a workload that is not there yet, if the model does not name one. */
const SOME_CONTAINER = '<name of the container>';

/**
 * What the operator puts into the pod templates, as manifests to merge into one's own (or to use as a kustomize patch).
 *
 * @throws CommandError when there is nothing to put in
 */
export function snippet({ snapshot, model, caches }: LiveSnapshot, acted: ActPlan): string {
  const { namespace, name, spec } = model;
  if (spec.kind === 'invalid') throw new CommandError(messages.specInvalid(spec.issues));
  if (!acted.trusted) {
    throw new CommandError(
      `the model is not trusted, and pods that ask for its secrets would wait: truss-secrets trust ${name} -n ${namespace}`,
    );
  }
  const approved = withApprovedEnv(spec.spec, approvalOf(model, snapshot.approval));
  const injection = injectionOf(model, approved, acted.resolutions, acted.secret, acted.pull);
  const named = snapshot.workloads.flatMap((view) =>
    view.kind === 'present' && view.ref
      ? [{ ref: view.ref, live: view.live }]
      : view.kind === 'absent'
        ? [{ ref: view.ref, live: unborn(view.ref, namespace, caches) }]
        : [],
  );
  if (!injection || named.length === 0) {
    throw new CommandError(
      spec.spec.delivery === 'None'
        ? messages.deliveryNone(acted.secret.name)
        : named.length === 0
          ? messages.noWorkloads(acted.secret.name)
          : messages.nothingDeclared,
    );
  }
  const manifests = named.map(({ ref, live }) =>
    stringify(manifestFor(ref, live, { ...injection, revision: undefined }), {
      lineWidth: 0,
      aliasDuplicateObjects: false,
    }),
  );
  return `${comment(namespace, name)}${manifests.join('---\n')}`;
}

/** The text of DESIGN.md section 4 on what co-owned fields do. */
const comment = (namespace: string, name: string): string =>
  `# What the operator puts onto the pods of ModelDeployment ${namespace}/${name}.
# Merge it into your manifest, and pods wait for their secrets from the first start on. You and the operator
# then own these fields together, without a conflict, as long as they are identical: print this again when
# config.yaml or the model changes.
# Server-side apply of a manifest that later drops or renames such a container is refused with 422 (Invalid):
# the operator's fields would be left without their container. Change "containers:" of the model first, or run
# truss-secrets untrust ${name} -n ${namespace}
`;

/** @throws CommandError */
function manifestFor(ref: WorkloadRef, live: LiveWorkload, injection: Injection): JsonObject {
  const wish = wishFor(ref, live, undefined, injection);
  if (wish.kind === 'conflict') throw new CommandError(`${ref.kind} ${ref.name}: ${wish.message}`);
  const { apiVersion: version, kind, spec } = wish.body;
  return { apiVersion: version, kind, metadata: { name: live.name }, spec: isObject(spec) ? spec : {} };
}

/** A workload that is not there yet. */
function unborn(
  { kind, name, containers: named }: WorkloadRef,
  namespace: string,
  { workloads }: Caches,
): LiveWorkload {
  const cache = workloads.get(kind);
  const asked = named?.filter((one) => one !== '*') ?? [];
  const containers = asked.length > 0 ? asked : [SOME_CONTAINER];
  return {
    apiVersion: cache ? apiVersion(cache.resource) : 'batch/v1',
    workloadKind: kind,
    namespace,
    name,
    uid: '',
    resourceVersion: '',
    deleting: false,
    marker: undefined,
    revision: undefined,
    defaultContainer: undefined,
    containers: containers.map((one) => ({ name: one, init: false, mounts: [], env: [] })),
    volume: undefined,
    duplicate: undefined,
    owned: '',
    editor: '',
    rollout: {
      observed: true,
      running: false,
      serving: false,
      outdated: false,
      held: undefined,
      blocked: false,
    },
    oldPods: undefined,
    blockedSince: undefined,
  };
}
