import type { PullCredential } from './config.ts';
import { detach } from './detach.ts';
import { position } from './diagnostic.ts';
import type { Reading } from './reading.ts';
import type { Node } from './yaml/composer.ts';

/** Truss's own names for the secrets of AWS_IAM (truss/base/truss_config.py). */
const AWS_SECRETS = [
  ['aws_access_key_id_secret_name', 'aws_access_key_id'],
  ['aws_secret_access_key_secret_name', 'aws_secret_access_key'],
] as const;

/** Reads `base_image.docker_auth`: how the image is pulled (table 2, rows 4 to 7). */
export function readDockerAuth(reading: Reading, root: Node): readonly PullCredential[] {
  const entry = reading.path(root, 'base_image', 'docker_auth');
  if (entry === undefined) return [];
  const auth = entry.value;
  if (reading.mapping(auth) === undefined) {
    reading.unexpected('base_image.docker_auth', 'a mapping', auth);
    return [];
  }
  const text = (name: string): string => {
    const found = reading.field(auth, name);
    return found === undefined ? '' : detach(reading.text(found.value) ?? '');
  };
  // Truss takes the method in any case.
  const method = text('auth_method').toUpperCase();
  const names = readNames(reading, auth, entry.key, method);
  return [{ registry: text('registry'), method, names, ...position(entry.key.mark) }];
}

function readNames(reading: Reading, auth: Node, at: Node, method: string): readonly string[] {
  const secret = reading.field(auth, 'secret_name');
  const name = secret === undefined ? undefined : reading.name(secret);
  const names = name === undefined ? [] : [name];
  switch (method) {
    case 'GCP_SERVICE_ACCOUNT_JSON':
    case 'REGISTRY_SECRET':
      if (name === undefined) {
        reading.warn('IncompleteAuth', `${method} needs secret_name, the secret with the credential`, at);
      }
      return names;
    case 'AWS_IAM':
      reading.warn(
        'Unsupported',
        'AWS_IAM: tokens for ECR last 12 hours, and truss-secrets fetches none: use REGISTRY_SECRET, or give the nodes the right to pull',
        at,
      );
      return AWS_SECRETS.map(([field, fallback]) => {
        const named = reading.field(auth, field);
        return (named === undefined ? undefined : reading.name(named)) ?? fallback;
      });
    case 'AWS_OIDC':
    case 'GCP_OIDC':
      if (secret !== undefined) {
        reading.warn(
          'AmbiguousAuth',
          `${method} uses no secret, and Truss refuses secret_name with it: drop it`,
          secret.key,
        );
      }
      reading.warn(
        'NothingToDo',
        `${method} needs no secret: give the nodes or the service account the right to pull`,
        at,
      );
      return [];
    default:
      reading.warn(
        'UnknownAuthMethod',
        'auth_method must be GCP_SERVICE_ACCOUNT_JSON, REGISTRY_SECRET, AWS_IAM, AWS_OIDC or GCP_OIDC',
        at,
      );
      return names;
  }
}
