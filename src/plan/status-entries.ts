import type { SecretStatus, WorkloadStatus } from '../api/model-deployment.ts';
import { bounded, shownName } from '../api/messages.ts';
import type { WriteFailure } from './outcome.ts';
import type { Resolution } from './resolve.ts';
import type { WorkloadPlan } from './workload.ts';

/** One entry per declared name. */
export function secretEntries(resolutions: readonly Resolution[]): SecretStatus[] {
  const seen = new Set<string>();
  return resolutions.map(({ name, role, pull, state, message, source }) => {
    // an invalid name may be cut to what another one is cut to; the list is keyed by name
    let shown = shownName(name);
    for (let n = 2; seen.has(shown); n++) shown = `${shownName(name)}~${n}`;
    seen.add(shown);
    return {
      name: shown,
      state,
      ...(role === 'Required' ? {} : { role }),
      ...(pull ? { pull: { method: shownName(pull.method), registry: shownName(pull.registry) } } : {}),
      ...(source
        ? {
            source: {
              namespace: source.secret.namespace,
              name: source.secret.name,
              key: source.key,
              uid: source.secret.uid,
            },
          }
        : {}),
      ...(message === undefined ? {} : { message: bounded(message) }),
    };
  });
}

/** The entry of a workload; none for one that has nothing and is to have nothing. */
export function workloadEntry(
  { ref, state, message }: WorkloadPlan,
  failures: ReadonlyMap<string, WriteFailure>,
): readonly WorkloadStatus[] {
  if (!ref) return [];
  const failure = failures.get(`${ref.kind}/${ref.name}`);
  const entry = { kind: ref.kind, name: ref.name };
  if (failure) {
    const failedState =
      failure.reason === 'NotAuthorized'
        ? 'NotAuthorized'
        : failure.reason === 'Conflict'
          ? 'Conflict'
          : 'Waiting';
    return [{ ...entry, state: failedState, message: bounded(failure.message) }];
  }
  if (state === undefined) return [];
  return [{ ...entry, state, ...(message === undefined ? {} : { message: bounded(message) }) }];
}
