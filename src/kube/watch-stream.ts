import type { Detail } from './client.ts';
import { ApiError, parseStatus, type RequestInfo, TransportError } from './errors.ts';
import type { BodySink, Flow } from './exchange.ts';
import { LineSplitter } from './line-splitter.ts';
import { isRecord, parseObject, type RawObject } from './object.ts';
import { SLICE_MS } from './slice.ts';
import { versionIn } from './version-in.ts';

export interface WatchOptions {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly resourceVersion: string;
  /** After this the server closes the watch in good order. */
  readonly timeoutSeconds: number;
  /** Default `full`. */
  readonly as?: Detail | undefined;
}

export type WatchEvent =
  | { readonly kind: 'applied' | 'deleted'; readonly object: RawObject }
  | { readonly kind: 'bookmark'; readonly resourceVersion: string };

/** How a watch ended: undefined when the server closed it in good order. */
export type WatchEnd = ApiError | TransportError | undefined;

export interface WatchHandler {
  /** The server accepted the watch. */
  opened(): void;
  /** Each event, in order, as soon as it was read. An exception ends the watch as `protocol`. */
  event(event: WatchEvent): void;
  /** Whether this version of an object is here by another way: then its event is not read, and stands as a bookmark. */
  isKnown?(resourceVersion: string): boolean;
  /** At most once in a turn of the event loop, after its events: the watch is alive. */
  progress(): void;
  /** Once, and last. */
  ended(end: WatchEnd): void;
}

export interface WatchStream {
  /** Ends the watch. The handler hears nothing more. */
  abort(): void;
}

/** Objects in etcd have at most 1.5 MiB by default; JSON can double that, escapes more. */
const MAX_LINE_BYTES = 8 * 1024 * 1024;

/** Turns the bytes of a watch into events. */
export class WatchDecoder implements BodySink {
  readonly #info: RequestInfo;
  readonly #confidential: boolean;
  readonly #handler: WatchHandler;
  readonly #onOver: () => void;
  readonly #lines = new LineSplitter(MAX_LINE_BYTES);
  #flow: Flow | undefined;
  /** Since when this turn of the event loop is busy with us; undefined between turns. */
  #busySince: number | undefined;
  #paused = false;
  #over = false;

  /** `onOver` ends the connection: what comes after a broken line is not to be read. */
  constructor(info: RequestInfo, confidential: boolean, handler: WatchHandler, onOver: () => void) {
    this.#info = info;
    this.#confidential = confidential;
    this.#handler = handler;
    this.#onOver = onOver;
  }

  opened(flow: Flow): void {
    this.#flow = flow;
    this.#handler.opened();
  }

  data(chunk: Buffer): void {
    if (this.#over) return;
    if (this.#busySince === undefined) {
      this.#busySince = performance.now();
      setImmediate(this.#endTurn);
    }
    const fits = this.#lines.push(chunk, this.#onLine);
    if (!fits) this.#fail('too-large', `a line of the watch has more than ${MAX_LINE_BYTES} bytes`);
    if (!this.#over && performance.now() - this.#busySince > SLICE_MS) {
      this.#paused = true;
      this.#flow?.pause();
    }
  }

  ended(error: TransportError | undefined): void {
    if (error === undefined && this.#lines.midLine)
      this.#fail('reset', 'the watch ended in the middle of an event');
    else this.#end(error);
  }

  /** The watch did not come about. */
  refused(error: unknown): void {
    if (error instanceof ApiError || error instanceof TransportError) this.#end(error);
    else this.#fail('protocol', describe(error), error);
  }

  /** The owner aborted: nothing is delivered any more. */
  silence(): void {
    this.#over = true;
  }

  readonly #endTurn = (): void => {
    this.#busySince = undefined;
    if (this.#over) return;
    this.#handler.progress();
    if (!this.#paused) return;
    this.#paused = false;
    this.#flow?.resume();
  };

  readonly #onLine = (line: Buffer): boolean => {
    try {
      const event = this.#parse(line);
      if (event instanceof Error) this.#end(event);
      else this.#handler.event(event);
    } catch (error) {
      // A SyntaxError quotes what it could not read, which may be a value.
      if (error instanceof SyntaxError) this.#fail('protocol', 'an event is no JSON');
      else this.#fail('protocol', describe(error), error);
    }
    return !this.#over;
  };

  #parse(line: Buffer): WatchEvent | ApiError {
    const known = isPresent(line) ? versionIn(line) : undefined;
    if (known !== undefined && this.#handler.isKnown?.(known) === true)
      return { kind: 'bookmark', resourceVersion: known };
    const event: unknown = JSON.parse(line.toString());
    const type = isRecord(event) ? event['type'] : undefined;
    const content = isRecord(event) ? event['object'] : undefined;
    switch (type) {
      case 'ADDED':
      case 'MODIFIED':
      case 'DELETED': {
        const object = parseObject(content);
        if (object === undefined) throw new TypeError('an event has no object');
        return { kind: type === 'DELETED' ? 'deleted' : 'applied', object };
      }
      case 'BOOKMARK':
        return { kind: 'bookmark', resourceVersion: bookmarkVersion(content) };
      case 'ERROR':
        return new ApiError(this.#info, parseStatus(500, content, this.#confidential));
      default:
        throw new TypeError('an event has no known type');
    }
  }

  #fail(step: 'too-large' | 'protocol' | 'reset', detail: string, cause?: unknown): void {
    this.#end(new TransportError(this.#info, step, detail, cause));
  }

  #end(end: WatchEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.#handler.ended(end);
    this.#onOver();
  }
}

const STARTS = ['{"type":"ADDED",', '{"type":"MODIFIED",'].map((start) => Buffer.from(start));

/** Whether the event is of an object that was added or changed. */
const isPresent = (line: Buffer): boolean =>
  STARTS.some((start) => line.subarray(0, start.length).equals(start));

function bookmarkVersion(content: unknown): string {
  const metadata = isRecord(content) ? content['metadata'] : undefined;
  const version = isRecord(metadata) ? metadata['resourceVersion'] : undefined;
  if (typeof version !== 'string') throw new TypeError('a bookmark has no resourceVersion');
  return version;
}

const describe = (error: unknown): string => (error instanceof Error ? error.message : String(error));
