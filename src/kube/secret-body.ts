import { inOrder } from '../api/in-order.ts';
import { MANAGER } from '../api/names.ts';
import { reveal, SecretValue } from '../api/secret-value.ts';
import { isRecord, type OwnerReference, type RawObject } from './object.ts';

/**
 * What a Secret that is created or replaced consists of. Labels, annotations, owners and finalizers stand in the order of the
 * API server: only then is its answer recognized as what was sent.
 */
export interface SecretContents {
  readonly metadata: {
    readonly namespace: string;
    readonly name: string;
    /** For a replacement. */
    readonly uid?: string | undefined;
    readonly resourceVersion?: string | undefined;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly finalizers?: readonly string[];
    readonly ownerReferences?: readonly OwnerReference[];
  };
  readonly type: string;
  readonly data: ReadonlyMap<string, SecretValue>;
}

/** Its labels come first of what others may add to, so that in an answer nothing can stand before what was sent. */
export type ReplacingContents = SecretContents & {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> };
};

/** The body of a Secret to create. Its values are still SecretValues: only {@link encodeSecret} writes them out. */
export function secretBody({ metadata, type, data }: SecretContents): object {
  return { apiVersion: 'v1', kind: 'Secret', metadata, type, data: Object.fromEntries(data) };
}

/** The values of a Secret that came from the API server; none for one that came as metadata. */
export function secretData(secret: RawObject): Map<string, SecretValue> {
  const data = new Map<string, SecretValue>();
  const raw = secret['data'];
  if (!isRecord(raw)) return data;
  for (const key of Object.keys(raw)) {
    const value = raw[key];
    if (typeof value === 'string') data.set(key, new SecretValue(value));
    else if (value instanceof SecretValue) data.set(key, value);
  }
  return data;
}

/** The answer to a write, in which the values that were sent are those very ones: what is known of them holds for it. */
export function withSent(answer: RawObject, sent: ReadonlyMap<string, SecretValue>): RawObject {
  if (!isRecord(answer['data'])) return answer;
  const data = { ...answer['data'] };
  for (const key of Object.keys(data)) {
    const text = data[key];
    const known = sent.get(key);
    if (known?.is(text) === true) data[key] = known;
    else if (typeof text === 'string') data[key] = new SecretValue(text);
  }
  return { ...answer, data };
}

/** A Secret as it is sent to take another one's place. */
export interface Replacement {
  readonly body: string;
  /** Where in it the metadata begin that the API server repeats, and where what comes after all metadata. */
  readonly metadataAt: number;
  readonly restAt: number;
}

/**
 * JSON in the order in which the API server answers, which is that of the fields in Go, with maps sorted. If it were another
 * one, {@link isAsSent} would say no, and the answer would be parsed.
 */
export function encodeReplacement({ metadata, type, data }: ReplacingContents): Replacement {
  const { namespace, name, uid, resourceVersion, ...own } = metadata;
  const incarnation = JSON.stringify({ name, namespace, uid, resourceVersion }).slice(0, -1);
  const said = JSON.stringify(own).slice(1, -1);
  const values: string[] = [];
  data.forEach((value, key) => values.push(`${JSON.stringify(key)}:${JSON.stringify(reveal(value))}`));
  const before = `{"kind":"Secret","apiVersion":"v1","metadata":${incarnation},`;
  const restAt = before.length + said.length;
  const rest = `},"data":{${inOrder(values).join(',')}},"type":${JSON.stringify(type)}}`;
  return { body: before + said + rest, metadataAt: before.length, restAt };
}

const NEWLINE = 0x0a;
const DELETING = Buffer.from('"deletionTimestamp":"');
const BY = Buffer.from('"manager":"');
const BY_US = Buffer.from(`"manager":"${MANAGER}"`);

/**
 * Whether the answer to a replacement says nothing but what was sent, so that it need not be parsed: no webhook has altered
 * it, it is not being deleted, and nobody else has a part in it. Quotes in texts are escaped, so that what is found is a key.
 */
export function isAsSent(answer: Buffer, { body, metadataAt, restAt }: Replacement): boolean {
  const end = answer.at(-1) === NEWLINE ? answer.length - 1 : answer.length;
  const rest = body.slice(restAt);
  const start = end - rest.length;
  // before its beginning nothing is found, at -1
  if (start < 0 || answer.indexOf(rest, start) !== start) return false;
  const metadata = `${body.slice(metadataAt, restAt)},"managedFields":[`;
  if (!answer.includes(metadata) || answer.includes(DELETING)) return false;
  return occurrences(BY, answer) === occurrences(BY_US, answer);
}

function occurrences(of: Buffer, within: Buffer): number {
  let found = 0;
  for (let at = within.indexOf(of); at !== -1; at = within.indexOf(of, at + 1)) found += 1;
  return found;
}

/** JSON of a body for the Secrets resource. Here, and in {@link encodeReplacement}, values leave the process for the API server. */
export function encodeSecret(body: object): string {
  if (!('data' in body) || !isRecord(body.data)) return JSON.stringify(body);
  const data = Object.entries(body.data).map(([key, value]) => [
    key,
    value instanceof SecretValue ? reveal(value) : value,
  ]);
  return JSON.stringify({ ...body, data: Object.fromEntries(data) });
}
