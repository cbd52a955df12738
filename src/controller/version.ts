/** A resourceVersion as it is kept: a number takes no memory of its own, where a text of its digits takes 24 bytes. */
export type KeptVersion = number | string;

/** Every API server's is a number; by contract it is a text of whatever kind. {@link String} gives it back. */
export const keptVersion = (resourceVersion: string): KeptVersion =>
  /^[1-9][0-9]{0,14}$/.test(resourceVersion) ? Number(resourceVersion) : resourceVersion;
