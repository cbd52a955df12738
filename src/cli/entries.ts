import type { ObjectKey } from '../kube/resource.ts';
import { age } from './age.ts';
import type { Cluster } from './cluster.ts';
import { type Io, warn } from './io.ts';
import type { Models } from './models.ts';
import { type Format, printData, table } from './print.ts';
import type { StoreSecret } from './store-secret.ts';

/** One key of one Secret of a store. */
interface Entry {
  readonly name: string;
  readonly secret: StoreSecret;
}

export function entriesOf(found: readonly StoreSecret[]): readonly Entry[] {
  const order = ({ name, secret }: Entry): string =>
    [secret.store ?? '', name, secret.environment ?? '', secret.name].join('\n');
  return found
    .flatMap((secret) => [...secret.data.keys()].map((name) => ({ name, secret })))
    .toSorted((a, b) => (order(a) < order(b) ? -1 : 1));
}

/** Prints entries and who uses them; never a value. The shape is in docs/cli.md. */
export async function printEntries(
  io: Io,
  format: Format,
  { namespace }: Cluster,
  entries: readonly Entry[],
  models: Models,
): Promise<void> {
  const usedBy = ({ name, secret }: Entry): readonly ObjectKey[] => models.usersOf(secret, name);
  if (format !== 'table') {
    return printData(io, format, {
      version: 1,
      namespace,
      modelsSeen: models.seen,
      secrets: entries.map((entry) => ({
        name: entry.name,
        store: entry.secret.store ?? null,
        environment: entry.secret.environment ?? null,
        secret: entry.secret.name,
        created: entry.secret.created,
        sharedWith: entry.secret.sharedWith ?? null,
        usedBy: usedBy(entry),
      })),
    });
  }
  const now = io.now();
  io.stdout.write(
    table<Entry>(
      io.stdout,
      [
        { title: 'NAME', cell: ({ name }) => name },
        { title: 'STORE', cell: ({ secret }) => secret.store ?? '' },
        { title: 'ENVIRONMENT', cell: ({ secret }) => secret.environment ?? '' },
        { title: 'SECRET', cell: ({ secret }) => secret.name },
        { title: 'AGE', cell: ({ secret }) => age(secret.created, now) },
        { title: 'SHARED WITH', cell: ({ secret }) => secret.sharedWith?.join(', ') ?? '' },
        {
          title: 'USED BY',
          cell: (entry) => (models.seen === 'none' ? '<unknown>' : shortened(usedBy(entry), namespace)),
        },
      ],
      entries,
    ),
  );
  if (models.seen === 'none') warn(io, `USED BY is not known: ${MAY_NOT_LIST} in namespace ${namespace}`);
  if (models.seen === 'namespace') {
    warn(io, `USED BY shows the models of namespace ${namespace} only: ${MAY_NOT_LIST} in all namespaces`);
  }
  return undefined;
}

const MAY_NOT_LIST = 'you may not list modeldeployments.truss-secrets.dev';

const MODELS_SHOWN = 3;

/** The first few, those of the namespace without it. */
function shortened(models: readonly ObjectKey[], namespace: string): string {
  const shown = models
    .slice(0, MODELS_SHOWN)
    .map((model) => (model.namespace === namespace ? model.name : `${model.namespace}/${model.name}`));
  const more = models.length - shown.length;
  return more === 0 ? shown.join(', ') : `${shown.join(', ')} +${more}`;
}
