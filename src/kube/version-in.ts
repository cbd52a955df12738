const VERSION = Buffer.from('"resourceVersion":"');
const QUOTE = 0x22;
const ZERO = 0x30;
const NINE = 0x39;

/**
 * The resourceVersion of the one object in this JSON, without parsing it. Quotes in texts are escaped, so that what is found
 * is a key; and where there are several (a label may have that name), or it is no number, it is not known.
 */
export function versionIn(json: Buffer): string | undefined {
  const at = json.indexOf(VERSION);
  if (at === -1 || json.includes(VERSION, at + 1)) return undefined;
  const start = at + VERSION.length;
  let end = start;
  for (let byte = json[end]; byte !== QUOTE; byte = json[++end]) {
    if (byte === undefined || byte < ZERO || byte > NINE) return undefined;
  }
  return end > start ? json.toString('latin1', start, end) : undefined;
}
