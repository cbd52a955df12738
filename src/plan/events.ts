import type { Condition, ModelDeploymentStatus } from '../api/model-deployment.ts';
import { bounded, messages, shownName } from '../api/messages.ts';
import type { Outcome } from './outcome.ts';
import type { ActPlan } from './plan.ts';
import type { PriorStatus } from './snapshot.ts';

export interface EventRecord {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

/** Kubernetes' limit for the message of an event. */
const MAX_EVENT_MESSAGE = 1024;

/** The event that a new status calls for: Ready says something that it did not say before. */
export function statusEvents(
  status: ModelDeploymentStatus,
  prior: PriorStatus,
  digest: (text: string) => string,
): readonly EventRecord[] {
  const ready = status.conditions?.find(({ type }) => type === 'Ready');
  if (!ready || digest(readySays(ready)) === prior.ready) return [];
  return [
    {
      type: ready.status === 'True' ? 'Normal' : 'Warning',
      reason: ready.reason,
      message: bounded(ready.message, MAX_EVENT_MESSAGE),
    },
  ];
}

/** The event that what was written calls for, whether or not the status says anything new. */
export function writeEvents({ resolutions, secret }: ActPlan, outcome: Outcome): readonly EventRecord[] {
  if (outcome.secret) return [];
  const names = resolutions
    .filter(({ name, value }) => secret.changed.has(name) && value?.endsInNewline())
    .map(({ name }) => shownName(name));
  if (names.length === 0) return [];
  const message = bounded(messages.trailingNewline(names), MAX_EVENT_MESSAGE);
  return [{ type: 'Warning', reason: 'TrailingNewline', message }];
}

/** What Ready says, as one text. */
export const readySays = ({
  status,
  reason,
  message,
}: Pick<Condition, 'status' | 'reason' | 'message'>): string => `${status} ${reason} ${message}`;
