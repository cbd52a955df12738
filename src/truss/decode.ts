import { type ConfigError, diagnostic } from './diagnostic.ts';
import { Cursor } from './yaml/cursor.ts';

/** Larger files are refused: a ConfigMap holds 1 MiB, and the largest real config.yaml that we saw is 2 kB. */
export const MAX_CONFIG_SIZE = 10 * 1024 * 1024;

const NOT_PRINTABLE = /[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

/**
 * The text of a file, as PyYAML finds it: UTF-16 with a byte order mark, else UTF-8. The mark stays, as it does there.
 * Truss itself opens its config in text mode, as UTF-8, and fails on UTF-16.
 */
export function decodeYaml(bytes: Uint8Array): { readonly text: string } | { readonly error: ConfigError } {
  if (bytes.length > MAX_CONFIG_SIZE) return { error: tooLarge() };
  const encoding = detectEncoding(bytes);
  try {
    return { text: new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    const message = `this is not ${encoding.toUpperCase()}: save the file as UTF-8`;
    return { error: diagnostic('InvalidEncoding', message, positionAt(decodablePrefix(bytes, encoding))) };
  }
}

/** What makes a text unreadable before its first line is read: its size, or a character that YAML does not allow. */
export function findUnreadable(text: string): ConfigError | undefined {
  if (text.length > MAX_CONFIG_SIZE) return tooLarge();
  const found = NOT_PRINTABLE.exec(text);
  if (found === null) return undefined;
  const code = (found[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  const message = `the character U+${code} is not allowed in YAML: write it as an escape in double quotes`;
  return diagnostic('InvalidCharacter', message, positionAt(text.slice(0, found.index)));
}

const tooLarge = (): ConfigError =>
  diagnostic('TooLarge', `the file is larger than ${MAX_CONFIG_SIZE / 1024 / 1024} MiB`, {
    line: 0,
    column: 0,
  });

function detectEncoding(bytes: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  return 'utf-8';
}

/** The text before the first byte that is in error, found by halving: the decoder itself does not say where it is. */
function decodablePrefix(bytes: Uint8Array, encoding: string): string {
  let good = 0;
  let bad = bytes.length + 1;
  let text = '';
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    try {
      // As a stream: a character that is cut off at the end is no error yet.
      text = new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes.subarray(0, middle), {
        stream: true,
      });
      good = middle;
    } catch {
      bad = middle;
    }
  }
  return text;
}

function positionAt(before: string): { readonly line: number; readonly column: number } {
  const cursor = new Cursor(before);
  cursor.forward(before.length);
  return cursor.mark();
}
