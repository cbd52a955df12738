import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { statusEvents, writeEvents } from '../../src/plan/events.ts';
import { NOTHING_FAILED } from '../../src/plan/outcome.ts';
import type { Snapshot, SourceSecret } from '../../src/plan/snapshot.ts';
import { dated } from '../../src/plan/status.ts';
import { NO_STATUS, declared, model, planOf, source, statusOf, store } from './builders.ts';

/** All that anybody can see of a plan: the writes, the status, the events. */
function seen(parts: Partial<Snapshot>): unknown {
  const planned = planOf(parts);
  const status = dated(statusOf(planned, NOTHING_FAILED, 1), [], '2026-01-02T03:04:05Z');
  const events = [
    ...writeEvents(planned, NOTHING_FAILED),
    ...statusEvents(status, NO_STATUS, (text) => text),
  ];
  return { planned, status, events };
}

const name = fc.constantFrom('a', 'A', 'a-b', 'a_b', 'b', 'TRUSS_SECRET_a');
const values = fc.dictionary(name, fc.constantFrom('', 'x', 'y\n', '\0'), { maxKeys: 4 });

/** Secrets that do not share themselves with model `gfpgan` in namespace `models`, for whatever reason. */
const silent: fc.Arbitrary<SourceSecret> = fc
  .record({
    values,
    name: fc.constantFrom('org', 'org-2', 'z'),
    from: fc.constantFrom(
      { namespace: 'org' },
      { namespace: 'org', shareWith: 'other' },
      { namespace: 'org', shareWith: 'models/other' },
      { namespace: 'org', shareWith: 'models@wrong-uid' },
      { namespace: 'org', shareWith: 'mode' },
      { namespace: 'org', shareWith: 'models-2' },
      { namespace: 'org', shareWith: 'MODELS, models/, @, /' },
      { namespace: 'models', shareWith: 'org' },
      { namespace: 'models', type: 'kubernetes.io/service-account-token' },
      { namespace: 'models', type: 'bootstrap.kubernetes.io/token' },
      { namespace: 'models', type: 'helm.sh/release.v1' },
      { namespace: 'org', shareWith: '*', type: 'helm.sh/release.v1' },
      { namespace: 'models', delivered: true },
      { namespace: 'org', shareWith: '*', delivered: true },
    ),
    environment: fc.constantFrom(undefined, 'production'),
  })
  .map(({ values: data, name: secretName, from, environment }) =>
    source(data, { name: secretName, ...from, ...(environment === undefined ? {} : { environment }) }),
  );

describe('a Secret that does not consent', () => {
  it('does not exist, for anything that is written or shown', () => {
    fc.assert(
      fc.property(
        fc.array(silent, { maxLength: 4 }),
        fc.uniqueArray(name, { minLength: 1, maxLength: 4 }),
        values,
        fc.constantFrom('Wait', 'UseDefault', 'Skip'),
        (secrets, names, own, onMissing) => {
          const parts = {
            model: model({ onMissing, environment: 'production' }),
            declaration: declared(...names),
            namespaceUid: 'right-uid',
          };
          const consenting = source(own, { name: 'consenting' });
          expect(seen({ ...parts, stores: [store(...secrets, consenting)] })).toEqual(
            seen({ ...parts, stores: [store(consenting)] }),
          );
        },
      ),
      { numRuns: 500 },
    );
  });
});
