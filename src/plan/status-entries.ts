import type { SecretStatus, WorkloadState, WorkloadStatus } from '../api/model-deployment.ts';
import { bounded, boundedBytes, shownName } from '../api/messages.ts';
import type { WriteFailure } from './outcome.ts';
import type { Resolution } from './resolve.ts';
import type { ValueSource } from './snapshot.ts';
import type { WorkloadPlan } from './workload.ts';

/** A declared name as the status shows it: one of no characters would not be seen. */
export const nameInStatus = (name: string): string => (name === '' ? '""' : shownName(name));

/** As many as a valid name may have: an invalid one may have any, of several bytes each. */
const MAX_NAME_BYTES = 253;
const MAX_MESSAGE_BYTES = 1024;
/** etcd takes 1.5 MiB, together with the names and the spec. */
const ALL_MESSAGES_BYTES = 256 * 1024;

/** One entry per declared name. */
export function secretEntries(resolutions: readonly Resolution[]): SecretStatus[] {
  const seen = new Set<string>();
  const messageBytes = Math.min(MAX_MESSAGE_BYTES, Math.floor(ALL_MESSAGES_BYTES / resolutions.length));
  return resolutions.map(({ name, role, pull, state, message, source }) => {
    // an invalid name may be cut to what another one is cut to; whoever reads the list looks for a name
    const known = boundedBytes(nameInStatus(name), MAX_NAME_BYTES);
    let shown = known;
    for (let n = 2; seen.has(shown); n++) shown = `${known}~${n}`;
    seen.add(shown);
    return {
      message: message === undefined ? undefined : boundedBytes(message, messageBytes),
      name: shown,
      pull: pull && { method: shownName(pull.method), registry: shownName(pull.registry) },
      role: role === 'Required' ? undefined : role,
      source: source && inOrder(source),
      state,
    };
  });
}

/** Wherever it comes from: a status is compared as it stands. */
const inOrder = ({ key, name, namespace, uid }: ValueSource): ValueSource => ({ key, name, namespace, uid });

/** The entry of a workload; none for one that has nothing and is to have nothing. */
export function workloadEntry(
  { ref, state, message }: WorkloadPlan,
  failures: ReadonlyMap<string, WriteFailure>,
): readonly WorkloadStatus[] {
  if (!ref) return [];
  const failure = failures.get(`${ref.kind}/${ref.name}`);
  const { kind, name } = ref;
  if (failure) return [{ kind, message: bounded(failure.message), name, state: stateAfter(failure) }];
  if (state === undefined) return [];
  return [{ kind, ...(message === undefined ? {} : { message: bounded(message) }), name, state }];
}

function stateAfter({ reason }: WriteFailure): WorkloadState {
  switch (reason) {
    case 'NotAuthorized':
      return 'NotAuthorized';
    case 'Conflict':
    case 'TooMany':
      return 'Conflict';
    case 'WriteFailed':
      return 'Waiting';
  }
}
