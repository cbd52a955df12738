const NEWLINE = 0x0a;

/** Cuts a stream of bytes into lines. A line in pieces is put together once, when its end has come. */
export class LineSplitter {
  readonly #maxBytes: number;
  #pieces: Buffer[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** True in the middle of a line: an end here is a cut. */
  get midLine(): boolean {
    return this.#bytes > 0;
  }

  /**
   * Gives each line that the chunk completes, without its newline, to `onLine`, until that returns false.
   * False: a line is longer than the bound.
   */
  push(chunk: Buffer, onLine: (line: Buffer) => boolean): boolean {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      const line = this.#complete(chunk.subarray(start, end));
      start = end + 1;
      if (line.length > this.#maxBytes) return false;
      if (line.length > 0 && !onLine(line)) return true;
    }
    if (start < chunk.length) {
      this.#pieces.push(chunk.subarray(start));
      this.#bytes += chunk.length - start;
    }
    return this.#bytes <= this.#maxBytes;
  }

  #complete(last: Buffer): Buffer {
    if (this.#bytes === 0) return last;
    const line = Buffer.concat([...this.#pieces, last]);
    this.#pieces = [];
    this.#bytes = 0;
    return line;
  }
}
