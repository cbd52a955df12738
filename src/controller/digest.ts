import { hash, randomBytes } from 'node:crypto';
import { reveal, type SecretValue } from '../api/secret-value.ts';
import { randomHex } from './random-hex.ts';

/** Of this process only: nobody can test a guess of a value against a digest without it. */
const SALT = randomBytes(32).toString('base64');

/**
 * 72 bits of SHA-256, in base64: there are several for each model, and each is compared with one other. A character more, and
 * V8 would keep the whole digest behind its beginning.
 */
export const DIGEST_LENGTH = 12;

/** A digest of a text that is no secret. */
export const digest = (text: string): string => hash('sha256', text, 'base64').slice(0, DIGEST_LENGTH);

/**
 * The digest of a secret value, which stands for the value in memory and never leaves the process. It is keyed: those of
 * two processes don't compare.
 */
export function digestOf(value: SecretValue): string {
  const found = known.get(value);
  if (found !== undefined) return found;
  const made = digest(SALT + reveal(value));
  known.set(value, made);
  return made;
}

/** A value of a store is looked at for every model that declares it. */
const known = new WeakMap<SecretValue, string>();

/** 64 random bits: nothing about a value can be computed from it. */
export const freshRevision = (): string => `${randomHex()}${randomHex()}`;

/** Whether {@link freshRevision} could have given it. */
export const isRevision = (text: string): boolean => text.length === 16 && /^[0-9a-f]+$/.test(text);
