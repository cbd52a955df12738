import type { Condition, ModelDeploymentStatus } from '../api/model-deployment.ts';
import { bounded, messages, shownName } from '../api/messages.ts';
import type { ActPlan } from './plan.ts';
import type { PriorStatus } from './snapshot.ts';

export interface EventRecord {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

/** Kubernetes' limit for the message of an event. */
const MAX_EVENT_MESSAGE = 1024;

/**
 * The events that a new status calls for: one when Ready says something that it did not say before, and one
 * for values that were just delivered with a newline at the end.
 */
export function eventsOf(
  { resolutions, secret }: ActPlan,
  status: ModelDeploymentStatus,
  prior: PriorStatus,
  digest: (text: string) => string,
): readonly EventRecord[] {
  const events: EventRecord[] = [];
  const ready = status.conditions?.find(({ type }) => type === 'Ready');
  if (ready && digest(readySays(ready)) !== prior.ready) {
    events.push({
      type: ready.status === 'True' ? 'Normal' : 'Warning',
      reason: ready.reason,
      message: bounded(ready.message, MAX_EVENT_MESSAGE),
    });
  }
  const { action } = secret;
  if (action.kind === 'create' || action.kind === 'replace' || action.kind === 'recreate') {
    const names = resolutions
      .filter(({ value }) => value?.endsInNewline())
      .map(({ name }) => shownName(name));
    if (names.length > 0) {
      events.push({
        type: 'Warning',
        reason: 'TrailingNewline',
        message: bounded(messages.trailingNewline(names), MAX_EVENT_MESSAGE),
      });
    }
  }
  return events;
}

/** What Ready says, as one text. */
export const readySays = ({
  status,
  reason,
  message,
}: Pick<Condition, 'status' | 'reason' | 'message'>): string => `${status} ${reason} ${message}`;
