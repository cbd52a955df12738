import { describe, expect, it } from 'vitest';
import { decodeYaml, MAX_CONFIG_SIZE } from '../../src/truss/decode.ts';

const bytes = (...values: readonly number[]): Uint8Array => Uint8Array.from(values);
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('decodeYaml, like PyYAML', () => {
  it.each([
    ['UTF-8', utf8('a: é\u{1F600}'), 'a: é\u{1F600}'],
    ['UTF-8 with a byte order mark, which stays', utf8('\ufeffa'), '\ufeffa'],
    ['UTF-16, little end first', bytes(0xff, 0xfe, 0x61, 0x00), '\ufeffa'],
    ['UTF-16, big end first', bytes(0xfe, 0xff, 0x00, 0x61), '\ufeffa'],
    ['nothing', bytes(), ''],
  ])('reads %s', (_, input, text) => {
    expect(decodeYaml(input)).toEqual({ text });
  });

  it.each([
    ['a byte that is no UTF-8', [...utf8('a: b\nc: '), 0xff], 2, 4],
    ['Latin-1', [...utf8('é'), 0x61, 0xe9, 0x62], 1, 3],
    ['half a character at the end', [0x61, 0xe2, 0x82], 1, 2],
    ['half a surrogate pair in UTF-8', [0x61, 0xed, 0xa0, 0x80], 1, 2],
    ['an odd number of bytes in UTF-16', [0xff, 0xfe, 0x61, 0x00, 0x62], 1, 2],
    ['half a surrogate pair in UTF-16', [0xff, 0xfe, 0x00, 0xd8, 0x61, 0x00], 1, 1],
  ])('refuses %s, and says where', (_, input, line, column) => {
    expect(decodeYaml(Uint8Array.from(input))).toMatchObject({
      error: { code: 'InvalidEncoding', line, column },
    });
  });

  it('refuses a file that is larger than anybody means', () => {
    expect(decodeYaml(new Uint8Array(MAX_CONFIG_SIZE + 1))).toMatchObject({ error: { code: 'TooLarge' } });
  });
});
