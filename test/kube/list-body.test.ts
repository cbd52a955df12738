import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseList } from '../../src/kube/list-body.ts';

const read = (text: string) => {
  const list = parseList(Buffer.from(text));
  return list && { metadata: list.metadata, items: [...list.items] };
};

describe('a list', () => {
  it('is cut into the items that JSON.parse finds in it, whatever they are and wherever they stand', () => {
    const key = fc.oneof(fc.string({ unit: 'binary' }), fc.constant('items'));
    const fields = fc.dictionary(key, fc.jsonValue(), { maxKeys: 4 });
    const others = fc.dictionary(
      key.filter((name) => name !== 'items' && name !== 'metadata'),
      fc.oneof(fc.constant('items'), fc.jsonValue()),
      { maxKeys: 4 },
    );
    fc.assert(
      fc.property(
        others,
        fields,
        fc.array(fc.jsonValue(), { maxLength: 6 }),
        fc.constantFrom(undefined, 1, '\r\n\t'),
        fc.boolean(),
        (more, metadata, items, space, itemsFirst) => {
          const list = itemsFirst ? { items, ...more, metadata } : { metadata, ...more, items };
          const text = JSON.stringify(list, null, space);
          const parsed = JSON.parse(text);
          expect(read(text)).toEqual({ metadata: parsed.metadata, items: parsed.items });
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it.each([
    [
      'builtin kinds, metadata first',
      '{"kind":"SecretList","metadata":{"resourceVersion":"7"},"items":[{"a":1}]}\n',
    ],
    [
      'custom resources, metadata last',
      '{"items":[{"a":1}],"kind":"List","metadata":{"resourceVersion":"7"}}',
    ],
  ])('comes in the order of %s', (_, text) => {
    expect(read(text)).toEqual({ metadata: { resourceVersion: '7' }, items: [{ a: 1 }] });
  });

  it.each([
    ['nothing', ''],
    ['no JSON', 'upstream connect error'],
    ['an object without items', '{"kind":"Status","metadata":{}}'],
    ['items that are none', '{"metadata":{},"items":null}'],
    ['items deeper down', '{"metadata":{},"spec":{"items":[]}}'],
    ['no metadata', '{"items":[]}'],
    ['a list that is cut off', '{"metadata":{},"items":[{"a":1},{"a"'],
    ['a list that is cut off behind its items', '{"items":[{"a":1}],"metadata":{"resou'],
    ['a string that never ends', '{"metadata":{},"items":["\\'],
  ])('is not what has %s', (_, text) => {
    expect(read(text)).toBeUndefined();
  });

  it('gives an item that is no JSON as none, and the others as they are', () => {
    expect(read('{"metadata":{},"items":[{"a":1},{nonsense},{"b":2}]}')).toEqual({
      metadata: {},
      items: [{ a: 1 }, undefined, { b: 2 }],
    });
  });
});
