const VERSION = Buffer.from('"resourceVersion":"');
const MOST_DIGITS = 20;

/**
 * The resourceVersion of the one object in this JSON, without parsing it. Quotes in texts are escaped, so that what is found
 * is a key; and where there are several (a label may have that name), or it is no number, it is not known.
 */
export function versionIn(json: Buffer): string | undefined {
  const at = json.indexOf(VERSION);
  if (at === -1 || json.includes(VERSION, at + 1)) return undefined;
  const start = at + VERSION.length;
  return /^[0-9]+(?=")/.exec(json.toString('latin1', start, start + MOST_DIGITS + 1))?.[0];
}
