import type { Client } from './client.ts';
import { isApiError } from './errors.ts';
import { isRecord } from './object.ts';
import type { Resource } from './resource.ts';
import { steadyNow } from './clock.ts';

export interface ServerVersion {
  readonly major: number;
  readonly minor: number;
}

/** What the API server serves. */
export interface Discovery {
  /** The kind at the version that the server prefers among those that have it; undefined: it has none. */
  find(group: string, kind: string): Promise<Resource | undefined>;
  serverVersion(): Promise<ServerVersion>;
}

/** For so long "there is none" is believed: a CustomResourceDefinition may come any time. */
const BELIEVE_ABSENCE_MS = 30_000;

interface Finding {
  readonly resource: Promise<Resource | undefined>;
  /** Infinite once it was found. */
  validUntil: number;
}

/** `now` is in milliseconds, of any origin. */
export function createDiscovery(client: Client, now: () => number = steadyNow): Discovery {
  const findings = new Map<string, Finding>();
  return {
    find: async (group, kind) => {
      const name = `${kind}.${group}`;
      const known = findings.get(name);
      if (known !== undefined && now() < known.validUntil) return known.resource;
      const finding: Finding = {
        resource: search(client, group, kind),
        validUntil: Number.POSITIVE_INFINITY,
      };
      findings.set(name, finding);
      try {
        const resource = await finding.resource;
        if (resource === undefined) finding.validUntil = now() + BELIEVE_ABSENCE_MS;
        return resource;
      } catch (error) {
        findings.delete(name);
        throw error;
      }
    },
    serverVersion: async () => {
      const version = await client.getJson('/version');
      return { major: leadingNumber(version, 'major'), minor: leadingNumber(version, 'minor') };
    },
  };
}

async function search(client: Client, group: string, kind: string): Promise<Resource | undefined> {
  for (const version of await versionsOf(client, group)) {
    const list = await getOrUndefined(client, group === '' ? `/api/${version}` : `/apis/${group}/${version}`);
    for (const one of records(list, 'resources')) {
      const { name: plural, namespaced } = one;
      // `pods/status` and the like are subresources.
      if (one['kind'] !== kind || typeof plural !== 'string' || plural.includes('/')) continue;
      return { group, version, plural, kind, namespaced: namespaced === true };
    }
  }
  return undefined;
}

/** The preferred version first. */
async function versionsOf(client: Client, group: string): Promise<readonly string[]> {
  if (group === '') return ['v1'];
  const found = await getOrUndefined(client, `/apis/${group}`);
  const preferred = isRecord(found) ? found['preferredVersion'] : undefined;
  const all = [preferred, ...records(found, 'versions')].flatMap((one) =>
    isRecord(one) && typeof one['version'] === 'string' ? [one['version']] : [],
  );
  return [...new Set(all)];
}

async function getOrUndefined(client: Client, path: string): Promise<unknown> {
  try {
    return await client.getJson(path);
  } catch (error) {
    if (isApiError(error, 404)) return undefined;
    throw error;
  }
}

function records(value: unknown, field: string): readonly Readonly<Record<string, unknown>>[] {
  const list = isRecord(value) ? value[field] : undefined;
  return Array.isArray(list) ? list.filter(isRecord) : [];
}

/** Vendors write `20+`. */
function leadingNumber(value: unknown, field: string): number {
  const text = isRecord(value) ? value[field] : undefined;
  return typeof text === 'string' ? Number.parseInt(text, 10) : Number.NaN;
}
