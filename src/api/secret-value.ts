/** A name has at most 253 characters and the prefix; the rest of 128 KiB is left to the value. */
const MAX_ENV_BYTES = 128 * 1024 - 512;

const bytesOf = (base64: string): Uint8Array =>
  Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));

/**
 * A secret value, as the base64 text that the API server sends. It prints as `[redacted]` wherever it ends
 * up by accident; {@link reveal} is the only way to the text. It is called where a value leaves the process (`src/kube`, the
 * command line's `get --reveal` and `run`), is digested (`src/controller`), or becomes a part of another one (docker-config).
 */
export class SecretValue {
  readonly #base64: string;

  constructor(base64: string) {
    this.#base64 = base64;
  }

  /** Length in bytes of the decoded value; 0 for the empty one. */
  get size(): number {
    const text = this.#base64;
    const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
    return (text.length / 4) * 3 - padding;
  }

  equals(other: SecretValue): boolean {
    return this.#base64 === other.#base64;
  }

  /** Whether it is what the API server sent as this text. */
  is(base64: unknown): boolean {
    return this.#base64 === base64;
  }

  /** Whether an environment variable can hold it: UTF-8, no NUL, at most 128 KiB with its name (Linux' MAX_ARG_STRLEN). */
  fitsEnv(): boolean {
    if (this.size >= MAX_ENV_BYTES) return false;
    const bytes = this.#bytes();
    if (bytes.includes(0)) return false;
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes);
      return true;
    } catch {
      return false;
    }
  }

  endsInNewline(): boolean {
    // the last four characters hold the last one to three bytes
    return atob(this.#base64.slice(-4)).endsWith('\n');
  }

  #bytes(): Uint8Array {
    return bytesOf(this.#base64);
  }

  toString(): string {
    return '[redacted]';
  }

  toJSON(): string {
    return '[redacted]';
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[redacted]';
  }

  static reveal(value: SecretValue): string {
    return value.#base64;
  }
}

/** The base64 text of a value. Call it only where the value leaves the process on purpose. */
export const reveal = (value: SecretValue): string => SecretValue.reveal(value);
