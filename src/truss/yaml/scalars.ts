import type { Node } from './composer.ts';
import { YamlError } from './error.ts';
import { floatIsZero, intIsZero } from './python-numbers.ts';
import { TAG } from './resolver.ts';

/** What PyYAML makes of a scalar, as far as it matters here: strings, and what Python holds for false. */
export type Scalar =
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'null' }
  | { readonly kind: 'boolean' | 'number' | 'bytes'; readonly falsy: boolean }
  | { readonly kind: 'date' };

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ['yes', true],
  ['no', false],
  ['true', true],
  ['false', false],
  ['on', true],
  ['off', false],
]);

const DATE =
  /^([0-9]{4})-([0-9][0-9]?)-([0-9][0-9]?)(?:(?:[Tt]|[ \t]+)([0-9][0-9]?):([0-9]{2}):([0-9]{2})(?:\.[0-9]*)?(?:[ \t]*(?:Z|[-+]([0-9][0-9]?)(?::([0-9]{2}))?))?)?\n?$/;

/** Whether the tag makes a scalar, of whatever node. */
export const isScalarTag = (tag: string): boolean => SCALARS.has(tag);

const SCALARS: ReadonlyMap<string, (text: string) => Scalar | undefined> = new Map([
  [TAG.str, (value): Scalar => ({ kind: 'string', value })],
  [TAG.null, (): Scalar => ({ kind: 'null' })],
  [TAG.bool, boolean],
  [TAG.int, integer],
  [TAG.float, float],
  [TAG.timestamp, date],
  [TAG.binary, bytes],
]);

/** What a node with a scalar's tag is. Throws where PyYAML's constructor raises. */
export function constructScalar(node: Node): Scalar {
  const construct = SCALARS.get(node.tag);
  const single = defaultOf(node);
  if (single.kind !== 'scalar')
    throw invalid(single, `this tag is for a single value, not for a ${single.kind}`);
  if (construct === undefined) throw invalid(node, 'unknown tag');
  // PyYAML takes the date from the node itself, where that of a mapping is no text.
  const constructed =
    node.tag === TAG.timestamp && node.kind !== 'scalar' ? undefined : construct(single.value);
  if (constructed === undefined)
    throw invalid(node, `this is no ${NOUNS.get(node.tag) ?? 'value'}: ${QUOTE}`);
  return constructed;
}

const QUOTE = 'put it into quotes if it is meant as text';

const NOUNS: ReadonlyMap<string, string> = new Map([
  [TAG.bool, 'boolean'],
  [TAG.int, 'number'],
  [TAG.float, 'number'],
  [TAG.timestamp, 'date that exists'],
  [TAG.binary, 'base64'],
]);

const invalid = (node: Node, message: string): YamlError => new YamlError('InvalidValue', message, node.mark);

/** The node itself, or what a mapping has under `=` (YAML 1.1's default value), however deep. */
function defaultOf(node: Node): Node {
  const seen = new Set<Node>();
  for (let at = node; ; ) {
    seen.add(at);
    const inner = at.kind === 'mapping' ? at.pairs.find(([key]) => key.tag === TAG.value)?.[1] : undefined;
    if (inner === undefined || seen.has(inner)) return at;
    at = inner;
  }
}

function boolean(text: string): Scalar | undefined {
  const value = BOOLEANS.get(text.toLowerCase());
  return value === undefined ? undefined : { kind: 'boolean', falsy: !value };
}

const number = (zero: boolean | undefined): Scalar | undefined =>
  zero === undefined ? undefined : { kind: 'number', falsy: zero };

function integer(text: string): Scalar | undefined {
  const digits = text.replaceAll('_', '').replace(/^[-+]/, '');
  if (digits === '') return undefined;
  if (digits.startsWith('0b')) return number(intIsZero(digits.slice(2), 2));
  if (digits.startsWith('0x')) return number(intIsZero(digits.slice(2), 16));
  if (digits.startsWith('0') && digits !== '0') return number(intIsZero(digits, 8));
  return number(allZero(digits, (part) => intIsZero(part, 10)));
}

function float(text: string): Scalar | undefined {
  const digits = text.replaceAll('_', '').toLowerCase().replace(/^[-+]/, '');
  if (digits === '.inf' || digits === '.nan') return { kind: 'number', falsy: false };
  return number(allZero(digits, floatIsZero));
}

/** `1:30:00` counts in sixties. */
function allZero(text: string, isZero: (part: string) => boolean | undefined): boolean | undefined {
  let zero = true;
  for (const part of text.split(':')) {
    const partZero = isZero(part);
    if (partZero === undefined) return undefined;
    zero &&= partZero;
  }
  return zero;
}

function date(text: string): Scalar | undefined {
  const parts = DATE.exec(text);
  if (parts === null) return undefined;
  const [year, month, day, hour, minute, second, zoneHour, zoneMinute] = parts
    .slice(1)
    .map((part) => Number(part ?? 0));
  const exists =
    inRange(year, 1, 9999) &&
    inRange(month, 1, 12) &&
    inRange(day, 1, daysIn(year ?? 0, month ?? 0)) &&
    inRange(hour, 0, 23) &&
    inRange(minute, 0, 59) &&
    inRange(second, 0, 59) &&
    inRange((zoneHour ?? 0) * 60 + (zoneMinute ?? 0), 0, 24 * 60 - 1);
  return exists ? { kind: 'date' } : undefined;
}

const inRange = (value: number | undefined, min: number, max: number): boolean =>
  value !== undefined && value >= min && value <= max;

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

/** Python's `binascii.a2b_base64`, which skips what is no base64, up to a padding that completes. */
function bytes(text: string): Scalar | undefined {
  if (/[^\0-\x7f]/.test(text)) return undefined;
  let quad = 0;
  let pads = 0;
  let length = 0;
  for (const c of text) {
    if (c === '=') {
      if (quad >= 2) pads += 1;
      if (quad >= 2 && quad + pads >= 4) return { kind: 'bytes', falsy: length === 0 };
    } else if (/[A-Za-z0-9+/]/.test(c)) {
      pads = 0;
      if (quad > 0) length += 1;
      quad = (quad + 1) % 4;
    }
  }
  return quad === 0 ? { kind: 'bytes', falsy: length === 0 } : undefined;
}
