import { isRecord } from './object.ts';
import { parseJson } from './requester.ts';

/** A list as it came, its items still text. */
export interface ListBody {
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Each is parsed when it is asked for; undefined: it is no JSON. */
  readonly items: Iterable<unknown>;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/**
 * Cuts a list into its items by counting brackets, and parses the rest: all objects of a page, alive together, cost
 * several times what one after the other does, in memory and in the time that collecting them takes.
 *
 * Undefined for what is no list.
 */
export function parseList(body: Buffer): ListBody | undefined {
  const found = findItems(body);
  if (found === undefined) return undefined;
  const list = parseJson(Buffer.concat([body.subarray(0, found.begin), body.subarray(found.end)]));
  const metadata = isRecord(list) ? list['metadata'] : undefined;
  return isRecord(metadata)
    ? { metadata, items: { [Symbol.iterator]: () => parsed(body, found) } }
    : undefined;
}

function* parsed(body: Buffer, { begin, cuts }: Found): Generator<unknown, void, void> {
  let from = begin;
  for (const cut of cuts) {
    yield parseJson(body.subarray(from, cut));
    from = cut + 1;
  }
}

/** Positions of what stands between the brackets of `items`. */
interface Found {
  readonly begin: number;
  readonly end: number;
  /** The end of each item. */
  readonly cuts: readonly number[];
}

function findItems(body: Buffer): Found | undefined {
  const cuts: number[] = [];
  let begin: number | undefined;
  let depth = 0;
  /** The outermost object's last string, which is the key of what opens next. */
  let key: readonly [from: number, to: number] = [0, 0];
  for (let at = 0; at < body.length; at += 1) {
    switch (body[at]) {
      case QUOTE: {
        const from = at + 1;
        for (at = from; at < body.length && body[at] !== QUOTE; at += 1) if (body[at] === BACKSLASH) at += 1;
        if (depth === 1) key = [from, at];
        break;
      }
      case OPEN_BRACE:
      case OPEN_BRACKET:
        depth += 1;
        if (depth === 2 && body[at] === OPEN_BRACKET && body.toString('latin1', ...key) === 'items')
          begin = at + 1;
        break;
      case COMMA:
        if (depth === 2 && begin !== undefined) cuts.push(at);
        break;
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        depth -= 1;
        if (depth > 1 || begin === undefined) break;
        // an empty list has nothing to cut
        if (body.toString('latin1', begin, at).trim() !== '') cuts.push(at);
        return { begin, end: at, cuts };
      default:
        break;
    }
  }
  return undefined;
}
