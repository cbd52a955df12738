import { authFor, registryAuth, serviceAccountAuth } from '../api/docker-config.ts';
import { messages, shownName } from '../api/messages.ts';
import { DOCKER_CONFIG_KEY, PULL_SECRET_TYPE } from '../api/names.ts';
import type { SecretValue } from '../api/secret-value.ts';
import { REGISTRY_PREFIX } from '../truss/names.ts';
import type { DeclaredSecret, PullUse, SourceSecret } from './snapshot.ts';

/** A credential for one registry, as docker's `auth` holds it. */
export interface PullCredential {
  readonly registry: string;
  readonly auth: SecretValue;
}

/** Kubernetes bounds the keys of a Secret so; a registry with more is nothing that anybody pulls from. */
const MAX_REGISTRY_NAME = 253;

/** `DOCKER_REGISTRY_<registry>` is no key of a Secret, so that it has rules of its own. */
export const isRegistryName = ({ role, pull }: DeclaredSecret): boolean =>
  role === 'Pull' && pull?.method === 'DOCKER_REGISTRY';

/** Why no registry can be meant (state InvalidName), if so. */
export function registryNameProblem(name: string): string | undefined {
  const registry = name.slice(REGISTRY_PREFIX.length);
  if (name.length > MAX_REGISTRY_NAME || !/^[\x21-\x7e]+$/.test(registry)) {
    return messages.registryName;
  }
  return undefined;
}

/** Why there is nothing that could be delivered for it (state Unsupported), if so. */
export function unsupportedPull({ method, registry }: PullUse): string | undefined {
  switch (method) {
    case 'DOCKER_REGISTRY':
      return undefined;
    case 'REGISTRY_SECRET':
    case 'GCP_SERVICE_ACCOUNT_JSON':
      return registry === '' ? messages.pullWithoutRegistry : undefined;
    case 'AWS_IAM':
      return messages.pullAwsIam;
    default:
      return messages.pullMethod(shownName(method));
  }
}

export type PullValue =
  | { readonly kind: 'credential'; readonly credential: PullCredential; readonly message?: never }
  | { readonly kind: 'unusable'; readonly message?: string };

/** What a value is good for in the pull Secret. `where` says where it was found. */
export function useForPull(use: PullUse, value: SecretValue, where: string): PullValue {
  // said by the warnings of config.yaml
  if (unsupportedPull(use) !== undefined) return { kind: 'unusable' };
  const { method, registry } = use;
  const auth =
    method === 'GCP_SERVICE_ACCOUNT_JSON' ? serviceAccountAuth(value) : registryAuth(value, registry);
  return auth
    ? { kind: 'credential', credential: { registry, auth } }
    : { kind: 'unusable', message: messages.pullMalformed(where, method) };
}

/** What a source Secret has for a registry: the entry in its docker config. */
export function registryEntry(secret: SourceSecret, registry: string): SecretValue | undefined {
  const config = secret.type === PULL_SECRET_TYPE ? secret.values.get(DOCKER_CONFIG_KEY) : undefined;
  return config && authFor(config, registry);
}
