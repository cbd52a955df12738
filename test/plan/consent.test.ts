import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { consents, dependsOnNamespaceUid, globMatches, parseShareWith } from '../../src/plan/consent.ts';

const asker = { namespace: 'prod', namespaceUid: 'uid-1', model: 'gfpgan' };
const shared = (annotation: string, namespace = 'org'): Parameters<typeof consents>[0] => ({
  namespace,
  consent: parseShareWith(annotation),
});

describe('who may have the values of a source Secret', () => {
  it('a Secret without the annotation serves its own namespace only', () => {
    expect(consents({ namespace: 'prod', consent: undefined }, asker)).toBe(true);
    expect(consents({ namespace: 'org', consent: undefined }, asker)).toBe(false);
  });

  it.each([
    ['prod', true, 'a namespace means every model there'],
    ['prod/gfpgan', true, 'one model'],
    ['prod/other', false, 'another model'],
    ['other, prod', true, 'one of several entries'],
    [' prod/gfpgan ,', true, 'blanks and a trailing comma do not matter'],
    ['*', true, 'every namespace'],
    ['pr*', true, 'a prefix'],
    ['*/gfp*', true, 'any namespace, some models'],
    ['p*d/g*n', true, 'a wildcard in the middle'],
    ['pro', false, 'the whole name has to match: no prefix'],
    ['rod', false, 'the whole name has to match: no suffix'],
    ['prod-evil', false, 'a longer name'],
    ['p.od', false, 'a dot is a dot'],
    ['prod|other', false, 'no alternatives'],
    ['PROD', false, 'names of namespaces are lower case'],
    ['prod@uid-1', true, 'pinned to this incarnation of the namespace'],
    ['prod@uid-2', false, 'pinned to another incarnation'],
    ['prod@uid-1/gfpgan', true, 'pinned, one model'],
    ['p*@uid-1', false, 'a pin together with a wildcard is malformed'],
    ['', false, 'an empty annotation shares with nobody'],
  ])('share-with %j: %s (%s)', (annotation, expected) => {
    expect(consents(shared(annotation), asker)).toBe(expected);
  });

  it('an annotation that does not name the own namespace withholds from it too', () => {
    expect(consents(shared('elsewhere', 'prod'), asker)).toBe(false);
  });

  it('a pin is not met by a namespace whose uid is not known', () => {
    expect(consents(shared('prod@uid-1'), { ...asker, namespaceUid: undefined })).toBe(false);
  });

  it.each([
    ['prod@uid-1', true],
    ['prod@uid-1/gfp*', true],
    ['prod@uid-1/other', false],
    ['elsewhere@uid-1', false],
    ['prod', false],
    ['*', false],
  ])('%j hangs on the uid of the namespace: %s', (annotation, expected) => {
    expect(dependsOnNamespaceUid(parseShareWith(annotation), asker)).toBe(expected);
  });

  it('malformed entries are named, and the others still count', () => {
    const consent = parseShareWith('prod, a/b/c, UPPER, x@y@z, .bad, ok/*');
    expect(consent.malformed).toEqual(['a/b/c', 'UPPER', 'x@y@z', '.bad']);
    expect(consent.grants.map(({ namespace }) => namespace)).toEqual(['prod', 'ok']);
  });

  it('a pattern of wildcards and a long name do not take long', () => {
    expect(globMatches('*a'.repeat(120), 'a'.repeat(119).padEnd(253, 'b'))).toBe(false);
  });

  it('the wildcard means what the same pattern means as a regular expression', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 });
    const name = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 8 });
    fc.assert(
      fc.property(text, name, (pattern, candidate) => {
        const expected = new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(candidate);
        expect(globMatches(pattern, candidate)).toBe(expected);
      }),
    );
  });
});
