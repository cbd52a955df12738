import { randomBytes } from 'node:crypto';

/** Drawn at a time: each look at a model needs some, and most of what drawing costs is the call. */
const DRAWN_BYTES = 2048;
const DIGITS = 8;

let drawn = '';
let next = 0;

/** Eight hexadecimal digits, which are 32 random bits. */
export function randomHex(): string {
  if (next === drawn.length) {
    drawn = randomBytes(DRAWN_BYTES).toString('hex');
    next = 0;
  }
  next += DIGITS;
  return drawn.slice(next - DIGITS, next);
}
