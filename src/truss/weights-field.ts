import type { SecretReference } from './config.ts';
import { position } from './diagnostic.ts';
import type { Entry, Reading } from './reading.ts';
import type { Node } from './yaml/composer.ts';

const FIELD = 'auth_secret_name';

/** Reads the secrets with which weights are mirrored before the model starts (table 2, row 8). */
export function readWeights(reading: Reading, root: Node): readonly SecretReference[] {
  const weights = reading.field(root, 'weights');
  if (weights === undefined) return [];
  return reading.items('weights', weights.value).flatMap((item, index) => {
    const own = reading.field(item, FIELD);
    const auth = reading.field(item, 'auth');
    const nested = auth === undefined ? undefined : reading.field(auth.value, FIELD);
    lintAuth(reading, auth, own, nested);
    return [
      ...reference(reading, `weights[${index}].${FIELD}`, own),
      ...reference(reading, `weights[${index}].auth.${FIELD}`, nested),
    ];
  });
}

function reference(reading: Reading, field: string, entry: Entry | undefined): readonly SecretReference[] {
  const name = entry === undefined ? undefined : reading.name(entry);
  return entry === undefined || name === undefined ? [] : [{ name, field, ...position(entry.key.mark) }];
}

function lintAuth(
  reading: Reading,
  auth: Entry | undefined,
  own: Entry | undefined,
  nested: Entry | undefined,
): void {
  if (own !== undefined && nested !== undefined) {
    reading.warn('AmbiguousAuth', `Truss refuses ${FIELD} in two places: keep the one in auth`, own.key);
  }
  if (auth === undefined) return;
  const method = reading.field(auth.value, 'auth_method');
  switch (method === undefined ? '' : reading.text(method.value)?.toUpperCase()) {
    case 'CUSTOM_SECRET':
      if (own === undefined && nested === undefined) {
        reading.warn(
          'IncompleteAuth',
          `CUSTOM_SECRET needs ${FIELD}, the secret with the credential`,
          auth.key,
        );
      }
      return;
    case 'AWS_OIDC':
    case 'GCP_OIDC': {
      const named = own ?? nested;
      if (named !== undefined) {
        reading.warn(
          'AmbiguousAuth',
          `OIDC uses no secret, and Truss refuses ${FIELD} with it: drop it`,
          named.key,
        );
      }
      return;
    }
    default:
  }
}
