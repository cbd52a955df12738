import { bounded, messages } from '../api/messages.ts';
import type { Outcome } from '../kube/workers.ts';
import type { EventRecord } from '../plan/events.ts';
import type { SourceSecret } from '../plan/snapshot.ts';
import type { Caches } from './caches.ts';
import { Crew } from './crew.ts';
import type { Recorder } from './recorder.ts';

/** Events at a time. */
const CONCURRENCY = 2;
/** Kubernetes' limit for the message of an event. */
const MAX_EVENT_MESSAGE = 1024;

export interface ShareWithWarner {
  start(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Tells the owner of a source Secret, by an event on it, which entries of its share-with annotation can't be read:
 * who shares with nobody by a typo finds out there, and nowhere else.
 */
export function createShareWithWarner({ sources }: Caches, recorder: Recorder): ShareWithWarner {
  const crew = new Crew({
    concurrency: CONCURRENCY,
    work: async (key): Promise<Outcome> => {
      const secret = sources.getByKey(key);
      const warning = secret && shareWithWarning(secret);
      if (warning) {
        const { namespace, name, uid } = secret;
        await recorder.record({ apiVersion: 'v1', kind: 'Secret', namespace, name, uid }, [warning]);
      }
      return { kind: 'done' };
    },
    // the recorder never throws
    onError: () => {},
  });
  sources.onChange((key, old, now) => {
    const said = now && shareWithWarning(now)?.message;
    if (said !== undefined && (old?.uid !== now?.uid || said !== (old && shareWithWarning(old)?.message)))
      crew.add(key);
  });
  return {
    start: () => crew.start(() => sources.keys().filter((key) => isMalformed(sources.getByKey(key)))),
    stop: () => crew.stop(),
  };
}

const isMalformed = (secret: SourceSecret | undefined): boolean =>
  (secret?.consent?.malformed.length ?? 0) > 0;

function shareWithWarning({ consent }: SourceSecret): EventRecord | undefined {
  if (!consent || consent.malformed.length === 0) return undefined;
  const message = bounded(messages.shareWithMalformed(consent.malformed), MAX_EVENT_MESSAGE);
  return { type: 'Warning', reason: 'ShareWithMalformed', message };
}
