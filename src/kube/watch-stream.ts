import type { Detail } from './client.ts';
import type { ApiError, TransportError } from './errors.ts';
import type { RawObject } from './object.ts';

export interface WatchOptions {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly resourceVersion: string;
  /** After this the server closes the watch cleanly. */
  readonly timeoutSeconds: number;
  /** Default `full`. */
  readonly as?: Detail;
}

export type WatchEvent =
  | { readonly kind: 'added' | 'modified' | 'deleted'; readonly object: RawObject }
  | { readonly kind: 'bookmark'; readonly resourceVersion: string };

/** How a watch ended: the server closed it (`undefined`), or why it broke. */
export type WatchEnd = ApiError | TransportError | undefined;

export interface WatchHandler {
  /** The server accepted the watch. */
  opened(): void;
  /** Called synchronously for each event, in order. */
  event(event: WatchEvent): void;
  /** After the events of one chunk of bytes, whatever was in it: the connection is alive. */
  progress(): void;
  /** Exactly once, after everything else; not called after `abort()`. */
  ended(end: WatchEnd): void;
}

export interface WatchStream {
  /** Ends the watch; the handler hears nothing any more. */
  abort(): void;
}
