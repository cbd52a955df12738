import { shownName } from '../api/messages.ts';
import { ENV_PREFIX } from '../api/names.ts';

/** Kubernetes bounds the keys of a Secret so, Truss the names of secrets. */
const MAX_NAME = 253;
const SECRET_KEY = /^[-._a-zA-Z0-9]+$/;
const C_IDENTIFIER = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const JFROG_NAME = /^[a-z][a-z0-9-]{1,34}[a-z0-9]$/;

/** `secrets.DOCKER_REGISTRY_<registry>` is the credential for pulling from that registry, and no Secret key. */
export const REGISTRY_PREFIX = 'DOCKER_REGISTRY_';

export interface NameProblem {
  readonly code: 'InvalidName' | 'PathTraversal' | 'PrefixedName' | 'JfrogName';
  readonly message: string;
}

/**
 * Whether the name can be a key in a Secret's data: Kubernetes' `IsConfigMapKey`, which is Truss's rule
 * (`Build.validate_secret_name`) without names that start with `..`.
 *
 * @see https://github.com/kubernetes/apimachinery/blob/master/pkg/util/validation/validation.go
 */
export const isSecretKey = (name: string): boolean =>
  name.length <= MAX_NAME && SECRET_KEY.test(name) && name !== '.' && !name.startsWith('..');

/** Why a declared name can never be delivered (state InvalidName), if so. */
export function nameProblem(name: string): NameProblem | undefined {
  if (name === '') return { code: 'InvalidName', message: 'the name is empty: give the secret a name' };
  if (name.length > MAX_NAME) {
    return {
      code: 'InvalidName',
      message: `${shownName(name)}: the name has ${name.length} characters: ${MAX_NAME} are allowed`,
    };
  }
  if (name.includes('/') || name === '.' || name.startsWith('..')) {
    return {
      code: 'PathTraversal',
      message: `${shownName(name)}: Truss takes the name as a path below /secrets and could read another file: use letters, digits, '-', '_' and '.' only`,
    };
  }
  if (!isSecretKey(name)) {
    return {
      code: 'InvalidName',
      message: `${shownName(name)}: no key of a Kubernetes Secret: use letters, digits, '-', '_' and '.' only`,
    };
  }
  if (name.startsWith(ENV_PREFIX)) {
    return {
      code: 'PrefixedName',
      message: `${shownName(name)}: Truss adds ${ENV_PREFIX} itself: name the secret ${shownName(name.slice(ENV_PREFIX.length))}`,
    };
  }
  return undefined;
}

/** Whether every shell keeps an environment variable of this name: dash drops others for the programs it starts. */
export const isCIdentifier = (name: string): boolean => C_IDENTIFIER.test(name);

/**
 * Names with the same result are one secret for Baseten, where "all non-alphanumeric characters are treated the
 * same", and near twins here.
 */
export const normalise = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '-');

/** What is against the name by JFrog ML's rule (3 to 36 lower-case letters, digits and hyphens), if anything. */
export function jfrogProblem(name: string): NameProblem | undefined {
  if (JFROG_NAME.test(name)) return undefined;
  return {
    code: 'JfrogName',
    message: `${shownName(name)}: JFrog ML wants 3 to 36 lower-case letters, digits and hyphens, with a letter first and no hyphen last`,
  };
}
