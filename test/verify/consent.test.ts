import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { consents, globMatches, parseShareWith } from '../../src/plan/consent.ts';
import type { RawObject } from '../../src/kube/object.ts';
import { fits, lets } from '../../src/verify/consent.ts';

const secret = (share: string | undefined, namespace = 'models'): RawObject => ({
  metadata: {
    name: 'org',
    namespace,
    uid: 'u',
    resourceVersion: '1',
    labels: { 'truss-secrets.dev/store': 'default' },
    ...(share === undefined ? {} : { annotations: { 'truss-secrets.dev/share-with': share } }),
  },
  type: 'Opaque',
});

const asker = { namespace: 'models', namespaceUid: 'n1', model: 'gfpgan' };

describe('the rules of consent, written a second time', () => {
  test.for([
    { share: undefined, namespace: 'models', holds: true },
    { share: undefined, namespace: 'org', holds: false },
    { share: '', namespace: 'models', holds: false },
    { share: 'models', namespace: 'org', holds: true },
    { share: 'mod*/gfp*', namespace: 'org', holds: true },
    { share: 'models/other, models/gfpgan', namespace: 'org', holds: true },
    { share: 'models@n1', namespace: 'org', holds: true },
    { share: 'models@n2', namespace: 'org', holds: false },
    { share: 'model?', namespace: 'org', holds: false },
    { share: 'mod*@n1', namespace: 'org', holds: false },
  ])('$share of $namespace: $holds', ({ share, namespace, holds }) => {
    expect(lets(secret(share, namespace), asker)).toBe(holds);
  });

  test('agree with those of the operator', () => {
    const word = fc.string({ unit: fc.constantFrom('m', 'o', '-', '*', '.', 'A'), maxLength: 6 });
    const entry = fc
      .tuple(word, fc.option(fc.constantFrom('n1', 'n2', '')), fc.option(word))
      .map(
        ([place, uid, model]) =>
          `${place}${uid === null ? '' : `@${uid}`}${model === null ? '' : `/${model}`}`,
      );
    const name = fc.string({ unit: fc.constantFrom('m', 'o', '-'), minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 3 }), name, name, (entries, namespace, model) => {
        const share = entries.join(', ');
        const asked = { namespace, namespaceUid: 'n1', model };
        expect(lets(secret(share), asked)).toBe(
          consents({ namespace: 'models', consent: parseShareWith(share) }, asked),
        );
      }),
      { numRuns: 2000 },
    );
  });

  test('a pattern fits a name as the operator says', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 8 });
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 6 });
    fc.assert(
      fc.property(pattern, text, (wild, name) => {
        expect(fits(wild, name)).toBe(globMatches(wild, name));
      }),
      { numRuns: 2000 },
    );
  });
});
